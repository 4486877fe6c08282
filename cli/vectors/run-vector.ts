import { Decimal } from '../../core/money/decimal.ts';
import type { AskEstimate, EstimateAnswer } from '../estimate-api.ts';
import { treat } from './treat.ts';
import type { Reproduction, Vector } from './vector.ts';

export interface Outcome {
  readonly id: string;
  readonly model: string;
  readonly verdict: 'reproduced' | 'option' | 'later' | 'differs' | 'mismatch';
  /** The option, capability or ruling; what went wrong. */
  readonly reason: string;
  /** Members of `expected` that were compared, and those that an estimate does not show. */
  readonly compared: readonly string[];
  readonly notShown: readonly string[];
}

/** Runs one vector over the estimates and compares, number by number. */
export async function runVector(vector: Vector, ask: AskEstimate): Promise<Outcome> {
  const { id, model } = vector;
  const base = { id, model, compared: [], notShown: [] };
  try {
    const treatment = treat(vector);
    if (treatment.kind === 'later') return { ...base, verdict: 'later', reason: treatment.capability };
    if (treatment.kind === 'differs') return { ...base, verdict: 'differs', reason: treatment.ruling };
    return { ...base, ...(await compare(vector, treatment, ask)) };
  } catch (error) {
    return { ...base, verdict: 'mismatch', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function compare(vector: Vector, { option, requests, read }: Reproduction, ask: AskEstimate) {
  const answers: EstimateAnswer[] = [];
  for (const request of requests) answers.push(await ask(request));
  const given = read(answers);
  const expected = Object.entries(vector.expected);
  const compared = expected.filter(([name]) => given[name] !== undefined);
  const wrong = compared.filter(([name, value]) => !isSame(given[name], value));
  const names = (entries: readonly (readonly [string, unknown])[]) => entries.map(([name]) => name);
  const shown = { compared: names(compared), notShown: names(expected.filter(([name]) => given[name] === undefined)) };
  if (compared.length === 0) return { verdict: 'mismatch' as const, reason: 'nothing of it is compared', ...shown };
  if (wrong.length > 0) {
    const reason = wrong
      .map(([name, value]) => `${name} is ${JSON.stringify(given[name])}, expected ${JSON.stringify(value)}`)
      .join('; ');
    return { verdict: 'mismatch' as const, reason, ...shown };
  }
  return {
    verdict: option === undefined ? ('reproduced' as const) : ('option' as const),
    reason: option ?? '',
    ...shown,
  };
}

/** Numbers are compared as numbers; of maps only what is expected counts, and what is given of it must be all of it. */
function isSame(given: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(given) && given.length === expected.length && expected.every((value, i) => isSame(given[i], value))
    );
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof given !== 'object' || given === null) return false;
    return Object.entries(expected).every(([name, value]) => isSame((given as Record<string, unknown>)[name], value));
  }
  const [a, b] = [numberOf(given), numberOf(expected)];
  return a !== null && b !== null ? a.equals(b) : given === expected;
}

function numberOf(value: unknown): Decimal | null {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Decimal.ofTotal(value) : null;
}
