import { createHash } from 'node:crypto';
import type { LoggedEvent } from '../../core/usage/chunk.ts';
import { decodeView } from '../../core/usage/usage-view.ts';
import type { Difference } from './oracle.ts';
import { PROJECT, TABLES, type World } from './world.ts';

/** The truth about averages, time-weighted sums and unique counts: what each quarter hour must say, as one text. */
interface Said {
  readonly users: Set<string>;
  mean: readonly [sum: bigint, readings: bigint];
  stored: readonly [change: bigint, moment: bigint];
}
const METERS = ['users', 'mean', 'stored'] as const;
type Name = (typeof METERS)[number];

const PICO = 1_000_000_000_000n;
const QUARTER_MICROS = 900_000_000;

function pico(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole) * PICO + BigInt(fraction.padEnd(12, '0'));
  return negative ? -value : value;
}

/** How the views differ from the events of which `isCounted` says that a meter counts them. */
export function quotientsMatch(
  world: World,
  stored: readonly LoggedEvent[],
  isCounted: (meter: string, event: LoggedEvent) => boolean,
): Difference[] {
  const expected = new Map<string, Said>();
  for (const event of stored) {
    const { customer, occurredAtMicros, properties } = event;
    const day = new Date(occurredAtMicros / 1000).toISOString().slice(0, 10).replaceAll('-', '');
    const said = saidAt(expected, `${customer} ${day} ${Math.floor(occurredAtMicros / QUARTER_MICROS) % 96}`);
    const value = pico(properties.tokens ?? '0');
    if (isCounted('users', event)) said.users.add(memberHex(properties.tokens ?? ''));
    if (isCounted('mean', event)) said.mean = [said.mean[0] + value, said.mean[1] + PICO];
    if (isCounted('stored', event)) {
      const into = BigInt(occurredAtMicros % QUARTER_MICROS);
      said.stored = [said.stored[0] + value, said.stored[1] + value * into];
    }
  }
  const counted = countedIn(world);
  return [...new Set([...expected.keys(), ...counted.keys()])].flatMap((place) =>
    METERS.flatMap((meter) => {
      const [events, view] = [expected, counted].map((side) => textOf(meter, side.get(place)));
      return events === view ? [] : [`${meter} at ${place}: the events say ${events}, the view says ${view}`];
    }),
  );
}

function saidAt(places: Map<string, Said>, place: string): Said {
  const said = places.get(place) ?? { users: new Set<string>(), mean: [0n, 0n], stored: [0n, 0n] };
  places.set(place, said);
  return said;
}

function textOf(meter: Name, said: Said | undefined): string {
  if (said === undefined) return meter === 'users' ? '' : '0/0';
  return meter === 'users' ? [...said.users].sort().join() : said[meter].join('/');
}

function memberHex(value: string): string {
  return createHash('sha256').update(`member\0${value}`).digest('hex').slice(0, 32);
}

/** What the views say, read as plain JSON. */
function countedIn(world: World): Map<string, Said> {
  const counted = new Map<string, Said>();
  for (const item of world.database.items(TABLES.views)) {
    const [project, kind, customer] = (item.pk?.S ?? '').split('#');
    if (project !== PROJECT || kind !== 'usage' || item.e?.B === undefined) continue;
    const { meters } = decodeView(item.e.B);
    for (const meter of METERS) {
      for (const [quarter, cell] of Object.entries(meters[meter]?.dimensions['[]'] ?? {})) {
        const said = saidAt(counted, `${customer} ${item.day?.S} ${quarter}`);
        if (meter === 'users') {
          for (const members of Object.values(cell as Record<string, string>)) {
            for (const hex of Buffer.from(members, 'base64').toString('hex').match(/.{32}/g) ?? []) said.users.add(hex);
          }
          continue;
        }
        const [first = 0n, second = 0n] = (cell as string).split('/').map(pico);
        said[meter] = [said[meter][0] + first, said[meter][1] + second];
      }
    }
  }
  return counted;
}
