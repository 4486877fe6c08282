import type { VoidTarget } from '../../core/usage/void-events.ts';
import type { Random } from './random.ts';

/** A backfill that is open in every schedule. */
export const BACKFILL = 'backfill:old';

/** What clients send in a schedule: few identities, so that they collide; resends with other times and with other bodies. */
export interface ClientEvent {
  readonly id: string;
  readonly type: string;
  readonly customer: string;
  readonly source?: string;
  readonly time?: string;
  readonly properties: Record<string, string | number>;
}

/** Voids of a schedule: of events that are sent, that never are, and the same twice. Each may come before its event or after. */
export function clientVoids(random: Random, events: readonly ClientEvent[]): VoidTarget[] {
  const voids = events
    .filter(() => random.chance(0.3))
    .map(({ customer, source = '', id }) => ({ customer, source, id, reason: random.pick(['', 'wrong']) }));
  const more = random.some(voids, 0.2).map((target) => ({ ...target, reason: 'again' }));
  const strange = { customer: 'ada', source: '', id: `never-${random.below(3)}`, reason: '' };
  return random.chance(0.2) ? [...voids, ...more, strange] : [...voids, ...more];
}

function uuidV7(random: Random, millis: number): string {
  const time = millis.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.hex(3)}-a${random.hex(3)}-${random.hex(12)}`;
}

/** The events of a schedule, each to be sent any number of times in any grouping. */
export function clientEvents(random: Random, nowMillis: number): ClientEvent[] {
  const events: ClientEvent[] = [];
  for (let i = 0; i < 3 + random.below(12); i++) {
    const bornMillis = nowMillis - random.below(3 * 3_600_000);
    const event: ClientEvent = {
      id: random.chance(0.6) ? uuidV7(random, bornMillis) : `order-${i}`,
      type: 'call',
      customer: random.pick(['ada', 'bob']),
      ...(random.chance(0.3) ? { source: random.pick(['web', 'app', BACKFILL]) } : {}),
      ...(random.chance(0.8) ? { time: new Date(nowMillis - random.below(30 * 3_600_000)).toISOString() } : {}),
      properties: {
        region: random.pick(['eu', 'us']),
        tokens: random.pick(['1', '2.5', '0.000000000001', '99999999999999999999', -3]),
      },
    };
    events.push(event);
    if (random.chance(0.2)) events.push({ ...event, properties: { ...event.properties, tokens: '7' } });
    if (random.chance(0.2)) events.push({ ...event, time: new Date(nowMillis - 3_600_000).toISOString() });
  }
  return events;
}
