import { withFolder } from './bundles.ts';
import { cpuMicros } from './in-process-endpoint.ts';
import { ingestBundle, ingestOf, NOW_MILLIS } from './ingest-fixture.ts';
import { medianOf } from './median.ts';
import { largeEvent, randomOf, type SentEvent, smallEvent } from './workload.ts';

/**
 * What ingest costs in CPU, as a multiple of what reading and writing the same JSON costs: thread CPU of the bundled handler,
 * SDK serialization and signing included, sockets not, by thread CPU of JSON.parse and JSON.stringify. Both are measured in
 * turns in one process, so a slow or busy machine changes both; the medians are compared.
 */
export interface CpuRatio {
  readonly ratio: number;
  readonly handlerMillis: number;
  readonly jsonMillis: number;
  readonly bodyBytes: number;
}

const EVENTS = 1000;
const WARM_UP_ROUNDS = 3;
const REPEATED_BYTES = 25_000_000;

type Send = (body: string) => Promise<void>;

export function bodyOf(make: (choice: Parameters<typeof smallEvent>[0]) => SentEvent, events = EVENTS): string {
  const random = randomOf(4711);
  const list = Array.from({ length: events }, (_, i) =>
    make({ millis: NOW_MILLIS - 60_000 + i, random, ids: 'carried' }),
  );
  return JSON.stringify(list);
}

export async function handlerCpu(rounds: number, onRound: () => void): Promise<{ large: CpuRatio; small: CpuRatio }> {
  const bundle = await ingestBundle();
  return withFolder(async (folder) => {
    const { send } = await ingestOf(folder, bundle);
    const large = await ratioOf(bodyOf(largeEvent), send, rounds, onRound);
    const small = await ratioOf(bodyOf(smallEvent), send, rounds, onRound);
    return { large, small };
  });
}

async function ratioOf(body: string, send: Send, rounds: number, onRound: () => void): Promise<CpuRatio> {
  const handler: number[] = [];
  const json: number[] = [];
  // Systems count thread CPU in steps of up to 10 ms: one measurement holds enough repetitions to be far above that.
  const repeats = Math.ceil(REPEATED_BYTES / body.length);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const started = cpuMicros();
    for (let i = 0; i < repeats; i++) {
      if (JSON.stringify(JSON.parse(body)).length !== body.length) throw new Error('The body comes back changed.');
    }
    const between = cpuMicros();
    for (let i = 0; i < repeats; i++) await send(body);
    const ended = cpuMicros();
    if (round < 0) continue;
    json.push((between - started) / 1000 / repeats);
    handler.push((ended - between) / 1000 / repeats);
    onRound();
  }
  const [handlerMillis, jsonMillis] = [medianOf(handler), medianOf(json)];
  return { ratio: handlerMillis / jsonMillis, handlerMillis, jsonMillis, bodyBytes: Buffer.byteLength(body) };
}
