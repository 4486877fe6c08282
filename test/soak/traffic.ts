import { Random } from '../faults/random.ts';

/**
 * The traffic of the soak: every event is a pure function of the seed and its number, so a million of them need no memory and
 * any of them can be sent again, as it was or changed. What a request holds, and what its answer must say, follow alike.
 */
export const EVENT_TYPE = 'llm_call';
export const CUSTOMERS = 200;
export const PER_REQUEST = 500;
const REGIONS = ['eu-west-1', 'us-east-1', 'us-west-2', 'ap-south-1'];
const PATHS = ['/v1/chat', '/v1/embeddings', '/v1/batch'];
const HOT_CUSTOMER_SHARE = 0.3;
const FOREIGN_SHARE = 0.03;
/** Of each request, how many events of earlier requests come again: as they were, with a later time, with another note. */
const DUPLICATE_SHARE = 0.03;
const RETIMED_SHARE = 0.005;
const CONFLICT_SHARE = 0.005;
const MALFORMED_SHARE = 0.002;

export interface SoakEvent {
  readonly id: string;
  readonly type: string;
  readonly customer: string;
  readonly time: string;
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface SoakRequest {
  readonly body: readonly object[];
  /** How many of them the door accepts; it refuses the rest. */
  readonly accepted: number;
}

export interface TrafficPlan {
  readonly seed: number;
  readonly events: number;
  /** The events happen between these two instants (ms since the epoch), evenly. */
  readonly fromMillis: number;
  readonly toMillis: number;
}

function randomAt(seed: number, index: number): Random {
  return new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

export function eventAt({ seed, events, fromMillis, toMillis }: TrafficPlan, index: number): SoakEvent {
  const random = randomAt(seed, index);
  const millis = fromMillis + Math.floor(((toMillis - fromMillis) * index) / events);
  // The number is in the id, so that no two of a million are alike.
  const number = index.toString(16).padStart(8, '0');
  const id = random.chance(FOREIGN_SHARE)
    ? `order-${seed}-${number}`
    : `${uuidTime(millis)}-7${random.hex(3)}-8${random.hex(3)}-${random.hex(4)}${number}`;
  const customer = random.chance(HOT_CUSTOMER_SHARE) ? 0 : random.below(CUSTOMERS);
  const tokens = 1 + random.below(4_000);
  return {
    id,
    type: EVENT_TYPE,
    customer: customerName(customer),
    time: new Date(millis).toISOString(),
    properties: {
      region: random.pick(REGIONS),
      path: random.pick(PATHS),
      note: random.hex(8),
      // A few with a fraction, as text and as number.
      tokens: random.chance(0.02) ? `${tokens}.125` : tokens,
    },
  };
}

function uuidTime(millis: number): string {
  const time = millis.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

export function customerName(number: number): string {
  return `cus_${String(number).padStart(4, '0')}`;
}

export function requestsOf({ events }: TrafficPlan): number {
  return Math.ceil(events / PER_REQUEST);
}

/** Request number `request`, from 0: its own events, and what comes again or is not whole among them. */
export function requestAt(plan: TrafficPlan, request: number): SoakRequest {
  const random = randomAt(~plan.seed, request);
  const first = request * PER_REQUEST;
  const own = Math.min(PER_REQUEST, plan.events - first);
  const body: object[] = [];
  let refused = 0;
  for (let i = 0; i < own; i++) {
    body.push(eventAt(plan, first + i));
    if (random.chance(MALFORMED_SHARE)) {
      body.push({ ...eventAt(plan, first + i), id: '' });
      refused += 1;
    }
    const again = () => eventAt(plan, random.below(first + i + 1));
    if (random.chance(DUPLICATE_SHARE)) body.push(again());
    if (random.chance(RETIMED_SHARE)) body.push(retimed(again(), plan));
    if (random.chance(CONFLICT_SHARE)) body.push(conflicting(again()));
  }
  return { body, accepted: body.length - refused };
}

/** The same event a second later, still within the span. */
function retimed(event: SoakEvent, { toMillis }: TrafficPlan): SoakEvent {
  return { ...event, time: new Date(Math.min(Date.parse(event.time) + 1_000, toMillis)).toISOString() };
}

/** Another content that no meter reads: whichever of the two is appended first, the quantities are the same. */
function conflicting(event: SoakEvent): SoakEvent {
  return { ...event, properties: { ...event.properties, note: 'another' } };
}
