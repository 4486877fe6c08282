import type { Rejection, RejectionCode } from './usage-event.ts';

/** How the reader of events says no: thrown inside, caught at its door, never seen outside as an exception. */
export class Refusal {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    this.rejection = rejection;
  }
}

/** A value as an error message shows it: JSON, cut at 80 characters. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // The parser takes any depth, the writer does not; one such event must not fail its neighbours.
    return `${Array.isArray(value) ? 'a list' : 'an object'} nested too deeply`;
  }
}

export interface RefusalInput {
  readonly code: RejectionCode;
  readonly field: string;
  readonly got: unknown;
  readonly expected: string;
  readonly todo: string;
  readonly status?: 400 | 404 | 422;
}

/** Refuses the event at `index`: what stands in the field, what belongs there, what to do. */
export function refuse(index: number, id: unknown, input: RefusalInput): never {
  const got = shown(input.got);
  throw new Refusal({
    index,
    ...(typeof id === 'string' && id.length <= 255 ? { id } : {}),
    code: input.code,
    status: input.status ?? 422,
    field: input.field,
    got,
    expected: input.expected,
    detail: `Event ${index}: ${input.field} is ${got}; expected ${input.expected}. ${input.todo}`,
  });
}
