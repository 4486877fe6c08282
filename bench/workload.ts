import type { Meter, MeterRevision } from '../core/catalog/meter.ts';
import type { ProjectId } from '../core/ids.ts';

/**
 * The traffic of the bench, the same in every run: 200 customers, one type of event that three meters count, four values of
 * their dimension. What an event says beside its id and time repeats as in a real service: a few paths, senders and codes.
 */
export const PROJECT = 'prj_bench' as ProjectId;

/** Whose usage it is: 200 customers alike, 200 of which the first has nine tenths of it, or 10,000 alike. */
export type Spread = 'even' | 'hot' | 'thin';
export const CUSTOMERS_OF: Readonly<Record<Spread, number>> = { even: 200, hot: 200, thin: 10_000 };
const HOT_SHARE = 0.9;

/** The share of all events that a customer has, by its number from 0. */
export function shareOf(spread: Spread, customer: number): number {
  const share = 1 / CUSTOMERS_OF[spread];
  if (spread !== 'hot') return share;
  return (1 - HOT_SHARE) * share + (customer === 0 ? HOT_SHARE : 0);
}

export function customerName(number: number): string {
  return `cus_${String(number).padStart(4, '0')}`;
}

function customerOf(spread: Spread, random: () => number): string {
  const number = Math.floor(random() * CUSTOMERS_OF[spread]);
  return customerName(spread === 'hot' && random() < HOT_SHARE ? 0 : number);
}

export const REGIONS = ['eu-west-1', 'us-east-1', 'us-west-2', 'ap-south-1'];
const METER_DIMENSIONS = ['region'];
const METER_LIST: readonly Meter[] = [
  { key: 'calls', eventType: 'llm_call', aggregation: 'count', dimensions: METER_DIMENSIONS },
  { key: 'tokens', eventType: 'llm_call', aggregation: 'sum', value: 'tokens', dimensions: METER_DIMENSIONS },
  { key: 'peak', eventType: 'llm_call', aggregation: 'max', value: 'tokens', dimensions: METER_DIMENSIONS },
];
export const METERS: MeterRevision = { revision: 1, meters: [...METER_LIST] };

/** Numbers from 0 to 1 that look random and are the same in every run (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hexDigits(random: () => number, count: number): string {
  let text = '';
  while (text.length < count) text += Math.floor(random() * 16).toString(16);
  return text;
}

/** A UUIDv7 of that millisecond (RFC 9562, section 5.7), its other 74 bits from `random`. */
export function uuidV7(millis: number, random: () => number): string {
  const time = millis.toString(16).padStart(12, '0');
  const variant = '89ab'.charAt(Math.floor(random() * 4));
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hexDigits(random, 3)}-${variant}${hexDigits(random, 3)}-${hexDigits(random, 12)}`;
}

export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly customer: string;
  readonly time: string;
  readonly properties: Readonly<Record<string, string | number>>;
}

export interface EventChoice {
  readonly millis: number;
  readonly random: () => number;
  /** `carried`: a UUIDv7. `foreign`: an id of the customer's own, which takes the claim lane. */
  readonly ids: 'carried' | 'foreign';
  /** Without it `even`. */
  readonly customers?: Spread;
}

function pick<T>(list: readonly [T, ...T[]] | readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

const PATHS = ['/v1/chat/completions', '/v1/chat/streaming-it', '/v1/embeddings/batch'];

/** One event of about 250 bytes as JSON. */
export function smallEvent({ millis, random, ids, customers = 'even' }: EventChoice): SentEvent {
  const id = ids === 'carried' ? uuidV7(millis, random) : `order-${hexDigits(random, 30)}`;
  return {
    id,
    type: 'llm_call',
    customer: customerOf(customers, random),
    time: new Date(millis).toISOString(),
    properties: {
      region: pick(REGIONS, random),
      model: 'example-small-2026-06-01',
      path: pick(PATHS, random),
      status: random() < 0.97 ? 200 : 429,
      tokens: 1 + Math.floor(random() * 4000),
    },
  };
}

/** One event of about 980 bytes as JSON: the small one with ten more properties. */
export function largeEvent(choice: EventChoice): SentEvent {
  const event = smallEvent(choice);
  const { random } = choice;
  const more: Record<string, string> = {};
  for (let i = 1; i <= 10; i++)
    more[`label_${i}`] = `value-${i}-${hexDigits(random, 8)}-of-this-label-exactly-as-its-sender-wrote`;
  return { ...event, properties: { ...event.properties, ...more } };
}
