import { chunkFromItem } from '../../adapters/dynamodb/usage-log.ts';
import { decodeChunkBody, type LoggedEvent, type Receipt } from '../../core/usage/chunk.ts';
import { decodeUsageBatch } from '../../core/usage/usage-batch.ts';
import { decodeView, type UsageView } from '../../core/usage/usage-view.ts';
import type { LoggedVoid } from '../../core/usage/usage-void.ts';
import { quotientsMatch } from './oracle-quotients.ts';
import { PROJECT, TABLES, type World } from './world.ts';

/**
 * The truth, by other means than the product's: identities as plain text, bigint sums, a look at everything ever stored.
 * Every difference is a sentence.
 */
export type Difference = string;

const PICO = 1_000_000_000_000n;

/** A decimal string as a whole number of 10^-12. */
function pico(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole) * PICO + BigInt(fraction.padEnd(12, '0'));
  return negative ? -value : value;
}

function identity(event: { customer: string; source: string; id: string }): string {
  return JSON.stringify([event.customer, event.source, event.id]);
}

export function differences(world: World): Difference[] {
  const found: Difference[] = [];
  const stored: LoggedEvent[] = [];
  const voids: LoggedVoid[] = [];
  const receipts = new Map<string, Receipt>();
  const sequences = new Set<string>();
  for (const item of world.chunks) {
    const pk = item.pk?.S ?? '';
    const chunk = chunkFromItem(item);
    if (sequences.has(`${pk}/${chunk.sequence}`)) found.push(`chunk ${pk}/${chunk.sequence} was stored twice`);
    sequences.add(`${pk}/${chunk.sequence}`);
    const body = decodeChunkBody(chunk.body);
    stored.push(...body.events);
    voids.push(...body.voids);
    for (const receipt of body.receipts) {
      const name = `${receipt.batchId} in ${pk}`;
      if (receipts.has(name)) found.push(`batch ${name} has two receipts`);
      receipts.set(name, receipt);
      if (receipt.carried !== receipt.stored + receipt.duplicates + receipt.conflicts)
        found.push(`receipt ${name} does not add up`);
    }
  }
  found.push(...storedOnce(stored, 'event'), ...storedOnce(voids, 'void'));
  const settled = settledIn(world, receipts);
  found.push(...booksBalance(world, receipts, settled, stored.length + voids.length));
  return [...found, ...viewsMatch(world, stored, settled.voided)];
}

function storedOnce(stored: readonly (LoggedEvent | LoggedVoid)[], kind: string): Difference[] {
  const seen = new Set<string>();
  return stored.flatMap((entry) => {
    const name = identity(entry);
    if (seen.has(name)) return [`${kind} ${name} was stored twice`];
    seen.add(name);
    return [];
  });
}

/** Everything that was ever queued and has a receipt: the events and the voids, by identity. */
interface Settled {
  readonly events: ReadonlySet<string>;
  readonly voided: ReadonlySet<string>;
}

function settledIn(world: World, receipts: ReadonlyMap<string, Receipt>): Settled {
  const events = new Set<string>();
  const voided = new Set<string>();
  for (const body of world.queued.values()) {
    const batch = decodeUsageBatch(body);
    const isSettled = ({ partition }: { partition: string }) =>
      receipts.has(`${batch.batchId} in ${PROJECT}#${partition}`);
    for (const event of batch.events.filter(isSettled)) events.add(identity(event));
    for (const entry of (batch.voids ?? []).filter(isSettled)) voided.add(identity(entry));
  }
  return { events, voided };
}

/** accepted = stored + duplicate + conflict + parked, over every batch that ever reached the queue, voids among them. */
function booksBalance(
  world: World,
  receipts: ReadonlyMap<string, Receipt>,
  settled: Settled,
  stored: number,
): Difference[] {
  const found: Difference[] = [];
  const parkedShares = new Set<string>();
  for (const item of world.database.items(TABLES.views).filter(({ pk }) => pk?.S === `${PROJECT}#parked`)) {
    const [, partition = '', batch = ''] = (item.sk?.S ?? '').split(':');
    const share = `${batch} in ${PROJECT}#${partition}`;
    // A share that was settled before the log expired may be parked again by a late redrive; it is not lost, it is there twice to look at.
    if (!receipts.has(share)) parkedShares.add(share);
  }
  let accepted = 0;
  let parked = 0;
  for (const body of world.queued.values()) {
    const { batchId, events, voids = [] } = decodeUsageBatch(body);
    for (const entry of [...events, ...voids]) {
      accepted += 1;
      const share = `${batchId} in ${PROJECT}#${entry.partition}`;
      if (parkedShares.has(share)) parked += 1;
      else if (!receipts.has(share))
        found.push(`${identity(entry)} of batch ${share} is neither in the log nor parked`);
    }
  }
  const carried = [...receipts.values()].reduce((sum, receipt) => sum + receipt.carried, 0);
  const receipted = [...receipts.values()].reduce((sum, receipt) => sum + receipt.stored, 0);
  if (carried + parked !== accepted)
    found.push(`accepted ${accepted}, but receipts carry ${carried} and ${parked} are parked`);
  if (receipted !== stored) found.push(`receipts say ${receipted} were stored, the log holds ${stored}`);
  const distinct = settled.events.size + settled.voided.size;
  if (distinct !== stored) found.push(`${distinct} distinct events and voids were settled, the log holds ${stored}`);
  return found;
}

interface Expected {
  calls: Map<string, bigint>;
  tokens: Map<string, bigint>;
  peak: Map<string, bigint>;
  level: Map<string, { at: number; values: Set<bigint> }>;
  /** Every single amount, as `time value`. */
  payments: Map<string, string[]>;
}

function viewsMatch(world: World, stored: readonly LoggedEvent[], voided: ReadonlySet<string>): Difference[] {
  const expected: Expected = {
    calls: new Map(),
    tokens: new Map(),
    peak: new Map(),
    level: new Map(),
    payments: new Map(),
  };
  const parked = parkedOf(world);
  const isCountedBy = (meter: string, event: LoggedEvent) => {
    const name = `${meter} ${identity(event)}`;
    return !parked.events.has(name) && (!voided.has(identity(event)) || parked.voids.has(name));
  };
  for (const event of stored) {
    const day = new Date(event.occurredAtMicros / 1000).toISOString().slice(0, 10).replaceAll('-', '');
    const quarter = Math.floor((event.occurredAtMicros / 1000 / 60_000 / 15) % 96);
    const place = `${event.customer} ${day} ${quarter}`;
    const region = event.properties.region ?? '';
    const tokens = pico(event.properties.tokens ?? '0');
    const isCounted = (meter: string) => isCountedBy(meter, event);
    if (isCounted('calls')) add(expected.calls, `${place} ${region}`, PICO);
    if (isCounted('tokens')) add(expected.tokens, place, tokens);
    if (isCounted('peak')) expected.peak.set(place, max(expected.peak.get(place) ?? tokens, tokens));
    if (isCounted('payments'))
      expected.payments.set(place, [...(expected.payments.get(place) ?? []), `${event.occurredAtMicros} ${tokens}`]);
    if (!isCounted('level')) continue;
    const level = expected.level.get(`${place} ${region}`);
    if (level === undefined || event.occurredAtMicros > level.at)
      expected.level.set(`${place} ${region}`, { at: event.occurredAtMicros, values: new Set([tokens]) });
    else if (event.occurredAtMicros === level.at) level.values.add(tokens);
  }
  // A total of zero is no cell.
  for (const [place, total] of expected.tokens) if (total === 0n) expected.tokens.delete(place);
  return [
    ...compare(expected, countedIn(world)),
    ...comparePayments(expected.payments, paymentsIn(world)),
    ...quotientsMatch(world, stored, isCountedBy),
  ];
}

/**
 * What a full view did not count, and what it did not take out again, as `meter identity`: each event must be parked or
 * counted, and never both; each void parked or followed.
 */
function parkedOf(world: World): { events: Set<string>; voids: Set<string> } {
  const parked = { events: new Set<string>(), voids: new Set<string>() };
  for (const item of world.database.items(TABLES.views)) {
    if (item.pk?.S !== `${PROJECT}#parked` || item.reason?.S !== 'view_full') continue;
    const event = JSON.parse(item.body?.S ?? '') as LoggedEvent;
    const isVoid = item.sk?.S?.includes(':void:') === true;
    const meters = /(?:not|still) counted by (.*)\.$/.exec(item.detail?.S ?? '')?.[1] ?? '';
    for (const meter of meters.split(', ')) (isVoid ? parked.voids : parked.events).add(`${meter} ${identity(event)}`);
  }
  return parked;
}

/** The others have an oracle of their own. */
const PLAIN: ReadonlySet<string> = new Set(['count', 'sum', 'max', 'latest']);

function add(totals: Map<string, bigint>, key: string, value: bigint): void {
  totals.set(key, (totals.get(key) ?? 0n) + value);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** What the views say, read as plain JSON. */
function countedIn(world: World): Map<string, Map<string, bigint>> {
  const counted = new Map<string, Map<string, bigint>>();
  for (const item of world.database.items(TABLES.views)) {
    const [, kind, customer] = (item.pk?.S ?? '').split('#');
    if (kind !== 'usage' || item.e?.B === undefined) continue;
    const view: UsageView = decodeView(item.e.B);
    for (const [meter, usage] of Object.entries(view.meters)) {
      if (!PLAIN.has(usage.aggregation)) continue;
      const totals = counted.get(meter) ?? new Map<string, bigint>();
      counted.set(meter, totals);
      for (const [dimensionKey, cells] of Object.entries(usage.dimensions)) {
        const region = (JSON.parse(dimensionKey) as string[])[0];
        for (const [quarter, cell] of Object.entries(cells)) {
          const place = `${customer} ${item.day?.S} ${quarter}${region === undefined ? '' : ` ${region}`}`;
          const contributions = typeof cell === 'string' ? [] : Object.values(cell);
          const best = contributions.toSorted((a, b) =>
            usage.aggregation === 'latest' ? b[1] - a[1] || (a[2] < b[2] ? 1 : -1) : pico(a[0]) > pico(b[0]) ? -1 : 1,
          )[0];
          totals.set(place, pico(typeof cell === 'string' ? cell : (best?.[0] ?? '0')));
        }
      }
    }
  }
  return counted;
}

/** The single amounts that the views keep, in no order. */
function paymentsIn(world: World): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const item of world.database.items(TABLES.views)) {
    const [, kind, customer] = (item.pk?.S ?? '').split('#');
    if (kind !== 'usage' || item.e?.B === undefined) continue;
    const cells = decodeView(item.e.B).meters.payments?.dimensions['[]'] ?? {};
    for (const [quarter, cell] of Object.entries(cells)) {
      const amounts = (cell as readonly [string, number][]).map(([value, micros]) => `${micros} ${pico(value)}`);
      const place = `${customer} ${item.day?.S} ${quarter}`;
      found.set(place, [...(found.get(place) ?? []), ...amounts]);
    }
  }
  return found;
}

function comparePayments(expected: Map<string, string[]>, counted: Map<string, string[]>): Difference[] {
  return [...new Set([...expected.keys(), ...counted.keys()])].flatMap((place) => {
    const [events, view] = [expected, counted].map((side) => JSON.stringify((side.get(place) ?? []).toSorted()));
    return events === view ? [] : [`payments at ${place}: the events say ${events}, the view says ${view}`];
  });
}

function compare(expected: Expected, counted: Map<string, Map<string, bigint>>): Difference[] {
  const found: Difference[] = [];
  for (const meter of ['calls', 'tokens', 'peak'] as const) {
    const views = counted.get(meter) ?? new Map<string, bigint>();
    for (const place of new Set([...expected[meter].keys(), ...views.keys()])) {
      if (expected[meter].get(place) !== views.get(place))
        found.push(
          `${meter} at ${place}: the events say ${expected[meter].get(place)}, the view says ${views.get(place)}`,
        );
    }
  }
  const levels = counted.get('level') ?? new Map<string, bigint>();
  for (const place of new Set([...expected.level.keys(), ...levels.keys()])) {
    const [values, value] = [expected.level.get(place)?.values, levels.get(place)];
    if (value === undefined || values?.has(value) !== true)
      found.push(`level at ${place}: the events say ${[...(values ?? [])]}, the view says ${value}`);
  }
  return found;
}
