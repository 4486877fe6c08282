import type { Access } from './access.ts';
import { transactionParts } from './access-dynamodb.ts';
import { type Caller, ServiceError, type ServiceName } from './backend.ts';

/**
 * Faults on purpose: what AWS does now and then and the local parts never do.
 *
 * Owns: which call a rule hits and what happens then. Does not own: faults inside core (test/support/memory-dynamodb).
 */
export type FaultEffect =
  /** A server error, before the call took effect or after it did (then the effect stays). */
  | { readonly kind: 'fail'; readonly when: 'before' | 'after'; readonly code?: string; readonly status?: number }
  /** The service's throttling error; nothing took effect. */
  | { readonly kind: 'throttle' }
  /** DynamoDB's conflict with another transaction; nothing took effect. */
  | { readonly kind: 'transaction-conflict' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks without an answer. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  /** Runs a function, for example one that kills a process, before or after the call took effect. */
  | { readonly kind: 'run'; readonly when: 'before' | 'after'; readonly run: () => void | Promise<void> };

export interface FaultRule {
  readonly service?: ServiceName;
  readonly operation?: string;
  /** Name of the principal. */
  readonly principal?: string;
  /** A part of the ARN of a resource that the call touches, such as a table's name. */
  readonly resource?: string;
  /** The first matching call that is hit, counted from 1 (default 1). */
  readonly nth?: number;
  /** How many matching calls in a row are hit (default 1; Infinity for all). */
  readonly times?: number;
  readonly effect: FaultEffect;
}

export interface InjectedFault {
  /** How many calls matched so far, and how many of them were hit. */
  readonly seen: number;
  readonly hits: number;
  remove(): void;
}

export interface FaultTarget {
  readonly service: ServiceName;
  readonly operation: string;
  readonly caller: Caller;
  readonly accesses: readonly Access[];
  readonly input: Readonly<Record<string, unknown>>;
}

/** The connection shall break without an answer. */
export class DroppedConnection extends Error {}

interface ActiveRule {
  readonly rule: FaultRule;
  seen: number;
  hits: number;
}

export class Faults {
  #rules: ActiveRule[] = [];

  inject(rule: FaultRule): InjectedFault {
    const active: ActiveRule = { rule, seen: 0, hits: 0 };
    this.#rules.push(active);
    return {
      get seen() {
        return active.seen;
      },
      get hits() {
        return active.hits;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== active);
      },
    };
  }

  /** The effects that hit this call, in the order in which their rules were injected. */
  hitting(target: FaultTarget): FaultEffect[] {
    return this.#rules
      .filter(({ rule }) => matches(rule, target))
      .filter((active) => {
        active.seen += 1;
        const first = active.rule.nth ?? 1;
        const hit = active.seen >= first && active.seen < first + (active.rule.times ?? 1);
        if (hit) active.hits += 1;
        return hit;
      })
      .map(({ rule }) => rule.effect);
  }
}

/** Lets the effects of one moment happen. Throws ServiceError or DroppedConnection when the call ends there. */
export async function applyEffects(
  effects: readonly FaultEffect[],
  moment: 'before' | 'after',
  target: FaultTarget,
): Promise<void> {
  for (const effect of effects) {
    if (('when' in effect ? effect.when : 'before') !== moment) continue;
    switch (effect.kind) {
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, effect.ms));
        break;
      case 'run':
        await effect.run();
        break;
      case 'drop':
        throw new DroppedConnection('dropped on purpose');
      case 'throttle':
        throw throttled(target.service);
      case 'transaction-conflict':
        throw conflicted(target);
      case 'fail':
        throw new ServiceError(effect.code ?? 'InternalServerError', 'Failed on purpose.', effect.status ?? 500);
    }
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  const { resource } = rule;
  return (
    (rule.service === undefined || rule.service === target.service) &&
    (rule.operation === undefined || rule.operation === target.operation) &&
    (rule.principal === undefined || rule.principal === target.caller.name) &&
    (resource === undefined || target.accesses.some((access) => access.resource.includes(resource)))
  );
}

function throttled(service: ServiceName): ServiceError {
  if (service === 's3') return new ServiceError('SlowDown', 'Please reduce your request rate.', 503);
  if (service === 'lambda') return new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429);
  return service === 'dynamodb'
    ? new ServiceError(
        'ProvisionedThroughputExceededException',
        'The level of configured provisioned throughput was exceeded.',
      )
    : new ServiceError('ThrottlingException', 'Rate exceeded');
}

function conflicted(target: FaultTarget): ServiceError {
  if (!target.operation.startsWith('Transact')) {
    return new ServiceError('TransactionConflictException', 'Transaction is ongoing for the item');
  }
  const reasons = transactionParts(target.input).map((_, n) =>
    n === 0 ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' } : { Code: 'None' },
  );
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new ServiceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}
