import { DEMO_CUSTOMERS } from './demo-catalog.ts';
import { type DemoMonth, demoDayMillis } from './demo-month.ts';

/**
 * A month of usage as a careless but honest backend sends it: most events at once, some days late, some twice, some with ids
 * of the sender's own, some broken. Made from a fixed seed, so that every run of the demo bills the same.
 */
export interface DemoEvent {
  readonly id?: string;
  readonly type: string;
  readonly customer: string;
  readonly time: string;
  readonly properties: Readonly<Record<string, string | number>>;
}

/** What is sent on one day, in requests of at most 500 events. */
export interface DemoDay {
  /** The time of the sender's clock when it sends. */
  readonly sentAtMillis: number;
  readonly requests: readonly (readonly DemoEvent[])[];
}

const EVENTS = 22_000;
const EVENTS_PER_REQUEST = 500;
const SEED = 20_261_121;
/** The hours of the day (UTC) in which things happen; the first and the last lie beside some customer's midnight. */
const BUSY_HOURS = [0, 6, 8, 9, 10, 13, 14, 16, 18, 23];

/** A linear congruential generator (Knuth's MMIX constants): whole numbers only, the same on every machine. */
class Dice {
  #state = BigInt(SEED);

  below(end: number): number {
    this.#state = (this.#state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number((this.#state >> 33n) % BigInt(end));
  }

  /** True in about `percent` of 1,000 throws out of a thousand. */
  perMille(share: number): boolean {
    return this.below(1000) < share;
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.below(16).toString(16);
    return text;
  }
}

function uuidV7(dice: Dice, millis: number): string {
  const time = millis.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${dice.hex(3)}-9${dice.hex(3)}-${dice.hex(12)}`;
}

function customerBy(throwOf: number): string {
  let rest = throwOf;
  for (const { id, weight } of DEMO_CUSTOMERS) {
    rest -= weight;
    if (rest < 0) return id;
  }
  throw new Error('the dice have fallen off the table');
}

function usageOf(dice: Dice): Pick<DemoEvent, 'type' | 'properties'> {
  const kind = dice.below(10);
  if (kind < 6)
    return { type: 'api_call', properties: { region: ['eu', 'us', 'us', 'ap'][dice.below(4)] ?? 'us', status: 200 } };
  if (kind < 9)
    return {
      type: 'completion',
      properties: { model: ['small', 'large'][dice.below(2)] ?? 'small', tokens: String(40 + dice.below(1500)) },
    };
  return { type: 'storage', properties: { gb: `${20 + dice.below(60)}.${dice.below(10)}` } };
}

/** Ways to be wrong, each of which the door must name. */
function broken(dice: Dice, event: DemoEvent): DemoEvent {
  const { id: _id, ...anonymous } = event;
  const ways: DemoEvent[] = [
    anonymous,
    { ...event, type: 'telepathy' },
    { ...event, type: 'completion', properties: { model: 'large', tokens: 'many' } },
    { ...event, type: 'completion', properties: { model: 'large' } },
    { ...event, time: 'yesterday' },
    { ...event, time: '2099-01-01T00:00:00Z' },
    { ...event, customer: '' },
  ];
  return ways[dice.below(ways.length)] ?? anonymous;
}

/** The month's traffic, day by day. */
export function demoTraffic(month: DemoMonth): DemoDay[] {
  const dice = new Dice();
  const weights = DEMO_CUSTOMERS.reduce((sum, { weight }) => sum + weight, 0);
  const byDay: DemoEvent[][] = Array.from({ length: month.days + 1 }, () => []);
  for (let n = 0; n < EVENTS; n++) {
    const day = 1 + Math.floor((n * month.days) / EVENTS);
    const hour = BUSY_HOURS[dice.below(BUSY_HOURS.length)] ?? 0;
    const millis = demoDayMillis(month, day, hour) + dice.below(3_600_000);
    const id = dice.perMille(40) ? `order-${month.key}-${n}` : uuidV7(dice, millis);
    const event: DemoEvent = {
      id,
      customer: customerBy(dice.below(weights)),
      time: new Date(millis).toISOString(),
      ...usageOf(dice),
    };
    const sentOn = dice.perMille(15) ? Math.min(month.days, day + 1 + dice.below(5)) : day;
    byDay[sentOn]?.push(dice.perMille(6) ? broken(dice, event) : event);
    if (dice.perMille(25)) byDay[Math.min(month.days, sentOn + dice.below(3))]?.push(event);
  }
  return byDay.slice(1).map((events, i) => ({
    sentAtMillis: demoDayMillis(month, i + 1, 23) + 59 * 60_000,
    requests: Array.from({ length: Math.ceil(events.length / EVENTS_PER_REQUEST) }, (_, r) =>
      events.slice(r * EVENTS_PER_REQUEST, (r + 1) * EVENTS_PER_REQUEST),
    ),
  }));
}
