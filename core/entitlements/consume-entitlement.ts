import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Meter } from '../catalog/meter.ts';
import { BillingError, conflict, invalid } from '../errors.ts';
import type { CustomerId, ProjectId } from '../ids.ts';
import { Decimal } from '../money/decimal.ts';
import { type Instant, millisOf } from '../time/instant.ts';
import { type AcceptDeps, acceptEvents } from '../usage/accept-events.ts';
import { CONSUMED_PROPERTY, consumedMark } from '../usage/consumed-meter.ts';
import { fingerprintHex, fingerprintOf } from '../usage/identity.ts';
import { type CheckResult, type EntitlementDeps, featureOf, quotaOf, shownQuota } from './check-entitlement.ts';
import { type Consumption, consumptionEvent } from './consumption-event.ts';
import { type MeteredFeature, quotaKeyOf } from './feature.ts';
import type { Reservation, ReservationStore } from './ports.ts';
import { limitAt, type Quota, usedOf } from './quota.ts';

/**
 * Checks and records in one call. What makes it sound: the reservation of the event's id, the event itself (as the message
 * the queue will get) and the quota's `consumed` are one transaction, conditioned on the figures that were read and on
 * `consumed` leaving room under the limit. So concurrent callers cannot pass a hard limit, the same id is taken once, and a
 * crash after it loses nothing: the stored message is sent by the next try or by the sweep, and the log takes it once.
 */
export interface ConsumeInput extends Omit<Consumption, 'time'> {
  readonly project: ProjectId;
  readonly customer: CustomerId;
  readonly feature: string;
  /** Null: now. */
  readonly time: Instant | null;
}

export interface ConsumeDeps extends EntitlementDeps {
  readonly reservations: ReservationStore;
  readonly accept: AcceptDeps;
  newBatchId(): string;
  /** Waits a little, differently each time; longer with every attempt. */
  pause(attempt: number): Promise<void>;
}

export interface ConsumeResult extends CheckResult {
  readonly id: string;
  /** Whether the usage is recorded: by this call, or by an earlier one with the same id. */
  readonly recorded: boolean;
  readonly duplicate: boolean;
}

const MAX_TRIES = 25;

/**
 * Takes `quantity` out of the customer's quota and records it as usage, or does neither. Throws `customer_not_found`,
 * `feature_not_metered`, `consume_id_reused` (the id took something else), `write_contended`, what `consumptionEvent` throws,
 * or the code with which ingest refuses such an event.
 */
export async function consumeEntitlement(input: ConsumeInput, deps: ConsumeDeps): Promise<ConsumeResult> {
  const { project, customer, id } = input;
  const feature = await featureOf(input, deps);
  if (feature === undefined) {
    const none = { customer, feature: input.feature, kind: null, allowed: false, reason: 'not_included' as const };
    return { ...none, id, recorded: false, duplicate: false };
  }
  if (feature.kind !== 'metered') {
    throw invalid(
      'feature_not_metered',
      `The feature ${feature.feature} is ${feature.kind}; only usage can be consumed.`,
    );
  }
  const reservation = await reservationOf(input, feature, deps);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const quota = await quotaOf(input, feature, deps);
    const room = roomIn(quota, feature, input.quantity, deps);
    const isFull = room !== null && Decimal.ofTotal(quota.consumed).compare(room) > 0;
    if (isFull) return refusedOr(reservation, input, { feature, quota }, deps);
    const guard = room === null ? null : { version: quota.version, mostConsumed: numberText(room) };
    const answer = await deps.reservations.reserve(reservation, quota.key, guard);
    if (answer === 'reserved') {
      await sendReserved(project, reservation.identity, reservation.message, deps);
      const after = { ...quota, consumed: Decimal.ofTotal(quota.consumed).plus(input.quantity).toString() };
      return {
        ...shownQuota({ customer, quantity: Decimal.ZERO }, feature, after, deps),
        allowed: true,
        id,
        recorded: true,
        duplicate: false,
      };
    }
    if (answer === 'exists') return repeated(reservation, input, { feature, quota }, deps);
    await deps.pause(attempt);
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: 'Many others consume this quota at this moment. Send the same request again.',
  });
}

interface Known {
  readonly feature: MeteredFeature;
  readonly quota: Quota;
}

/** Up to where `consumed` may be before this quantity is added; null where nothing is refused. */
function roomIn(quota: Quota, feature: MeteredFeature, quantity: Decimal, deps: EntitlementDeps): Decimal | null {
  const limit = limitAt(feature, deps.clock.now());
  if (limit === null || !feature.isHard) return null;
  const others = usedOf(quota).minus(Decimal.ofTotal(quota.consumed));
  return limit.minus(others).minus(quantity);
}

/** No room: unless an earlier try of the same call took it. */
async function refusedOr(
  reservation: Reservation,
  input: ConsumeInput,
  known: Known,
  deps: ConsumeDeps,
): Promise<ConsumeResult> {
  if (await deps.reservations.find(input.project, reservation.identity)) {
    return repeated(reservation, input, known, deps);
  }
  const shown = shownQuota(input, known.feature, known.quota, deps);
  return { ...shown, allowed: false, reason: 'limit_reached', id: input.id, recorded: false, duplicate: false };
}

/** The id was taken before: by the same call, whose message is sent if it never was, or by another one. */
async function repeated(
  { identity, request }: Reservation,
  input: ConsumeInput,
  { feature, quota }: Known,
  deps: ConsumeDeps,
): Promise<ConsumeResult> {
  const { project, customer, id } = input;
  const first = await deps.reservations.find(project, identity);
  if (first !== undefined && first.request !== request) {
    throw conflict(
      'consume_id_reused',
      `The id ${id.slice(0, 64)} consumed something else. Give each consumption an id of its own.`,
    );
  }
  const unsent = await deps.reservations.unsent(project, identity);
  if (unsent !== undefined) await sendReserved(project, identity, unsent, deps);
  return {
    ...shownQuota({ customer, quantity: Decimal.ZERO }, feature, quota, deps),
    allowed: true,
    id,
    recorded: true,
    duplicate: true,
  };
}

/** Sends the event. What cannot be sent now is stored with its reservation, and the sweep sends it. */
async function sendReserved(project: ProjectId, identity: string, message: string, deps: ConsumeDeps): Promise<void> {
  try {
    await deps.accept.queue.send([message]);
    await deps.reservations.sent(project, identity);
  } catch {
    // Nothing is lost, and the caller's answer is the same: the quantity is taken and will be recorded.
  }
}

async function reservationOf(input: ConsumeInput, feature: MeteredFeature, deps: ConsumeDeps): Promise<Reservation> {
  const { project, customer, id, quantity } = input;
  const now = deps.clock.now();
  const time = input.time ?? now;
  const meters = await deps.meters(project);
  const meter = meters.meters.find(({ key }) => key === feature.scope.meter) as Meter;
  const event = consumptionEvent({ customer, id, quantity, time, properties: input.properties }, meter, feature.scope);
  const key = quotaKeyOf(project, customer, feature.scope);
  const messages: string[] = [];
  const accepted = await acceptEvents(
    {
      project,
      events: [event],
      batchId: deps.newBatchId(),
      meters,
      openBackfills: new Set(),
      addedProperties: { [CONSUMED_PROPERTY]: consumedMark(key, quantity.toString()) },
    },
    // What the door would send is kept, to be sent once the quantity is taken.
    { ...deps.accept, queue: { send: async (list) => void messages.push(...list) } },
  );
  const [refusal] = accepted.rejected;
  if (refusal !== undefined) {
    const { code, detail, field, got, expected } = refusal;
    throw invalid(code, detail, [{ field, code, detail, got, expected }]);
  }
  const [message = ''] = messages;
  const asked = [input.feature, quantity.toString(), input.time, input.properties];
  return {
    project,
    identity: fingerprintHex(fingerprintOf(project, { customer, source: '', id })),
    request: createHash('sha256').update(canonicalJson(asked)).digest('hex').slice(0, 32),
    quantity: quantity.toString(),
    message,
    madeAtMillis: millisOf(now),
  };
}

/** What DynamoDB keeps exactly: 38 digits. A room beyond every quantity is as good as the largest. */
function numberText(room: Decimal): string {
  return Decimal.min(room, LARGEST).toString();
}
const LARGEST = Decimal.parse('99999999999999999999999999');
