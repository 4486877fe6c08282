/** In a process of its own, with `--expose-gc`: fills one partition's state with identities and prints what that takes. */
import { randomBytes } from 'node:crypto';
import { PartitionState } from '../../core/usage/partition-state.ts';

const [IDENTITIES, IN_A_CHUNK] = [1_000_000, 1_000];
const nothing = new Uint8Array(0);
const collect = globalThis.gc ?? (() => undefined);
const used = () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = used();
const state = new PartitionState();
let cpuMicros = 0;
for (let sequence = 1; sequence <= IDENTITIES / IN_A_CHUNK; sequence++) {
  const chunk = {
    ...{ sequence, events: IN_A_CHUNK, total: sequence * IN_A_CHUNK, appendedAtMillis: 0, range: null },
    ...{ fingerprints: randomBytes(16 * IN_A_CHUNK), digests: randomBytes(8 * IN_A_CHUNK) },
    ...{ settled: nothing, voided: nothing, body: nothing, customers: nothing },
  };
  const started = process.threadCpuUsage();
  state.apply(chunk);
  const { user, system } = process.threadCpuUsage(started);
  cpuMicros += user + system;
}
const bytes = used() - before;
console.log(
  JSON.stringify({
    identityBytes: bytes / state.identities.size,
    cpuMillisPerMillion: (cpuMicros / 1000 / IDENTITIES) * 1_000_000,
  }),
);
