import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { LocalClock } from '../../../local/parts/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'clock-'));
const clocks: LocalClock[] = [];
const made = (clock: LocalClock) => {
  clocks.push(clock);
  return clock;
};
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.close();
});

/** 2026-11-01T00:00:00Z */
const NOVEMBER = 1_793_491_200_000;
const DAY = 86_400_000;

test('a clock that was set runs on from there in real time', async () => {
  const clock = made(new LocalClock());
  clock.set(NOVEMBER);
  const first = clock.now();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(first - NOVEMBER).toBeLessThan(2_000);
  expect(clock.now() - first).toBeGreaterThanOrEqual(25);
  expect(clock.now() - first).toBeLessThan(10_000);
});

test('a sleeper wakes when the clock is moved past its instant, in the order of the instants', async () => {
  const clock = made(new LocalClock());
  clock.set(NOVEMBER);
  const woken: string[] = [];
  const later = clock.sleepUntil(NOVEMBER + 2 * DAY).then(() => woken.push('second day'));
  const sooner = clock.sleep(DAY).then(() => woken.push('first day'));
  clock.advance(3 * DAY);
  await Promise.all([later, sooner]);
  expect(woken).toEqual(['first day', 'second day']);
});

test('a sleeper whose instant was not reached sleeps on, and an aborted one ends with the reason', async () => {
  const clock = made(new LocalClock());
  const leave = new AbortController();
  const sleeping = clock.sleep(DAY, leave.signal);
  clock.advance(DAY - 5_000);
  const first = await Promise.race([sleeping, new Promise((resolve) => setTimeout(() => resolve('asleep'), 30))]);
  expect(first).toBe('asleep');
  leave.abort(new Error('stopped'));
  await expect(sleeping).rejects.toThrow('stopped');
});

test('a timer that was called off never fires, and one in the past fires at once', async () => {
  const clock = made(new LocalClock());
  const fired: string[] = [];
  const off = clock.at(clock.now() + 10, () => fired.push('called off'));
  clock.at(clock.now() - DAY, () => fired.push('past'));
  off();
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(fired).toEqual(['past']);
});

test('a worker thread that attaches to the buffer reads the moved time', async () => {
  const clock = made(new LocalClock());
  const worker = new Worker(
    `import { parentPort, workerData } from 'node:worker_threads';
     const { LocalClock } = await import(workerData.module);
     const clock = new LocalClock(workerData.buffer);
     parentPort.on('message', () => parentPort.postMessage(clock.now()));
     parentPort.postMessage('ready');`,
    {
      eval: true,
      execArgv: [],
      workerData: { buffer: clock.buffer, module: new URL('../../../local/parts/clock.ts', import.meta.url).href },
    },
  );
  const message = () => new Promise<unknown>((resolve) => worker.once('message', resolve));
  await message();
  clock.set(NOVEMBER);
  const answer = message();
  worker.postMessage('now');
  const seen = Number(await answer);
  await worker.terminate();
  expect(seen - NOVEMBER).toBeGreaterThanOrEqual(0);
  expect(seen - NOVEMBER).toBeLessThan(2_000);
});

test('a clock with a file goes on in its own time after a restart, and a damaged file is refused', () => {
  const file = join(folder, 'clock.json');
  made(LocalClock.open(file)).set(NOVEMBER);
  expect(made(LocalClock.open(file)).now() - NOVEMBER).toBeLessThan(2_000);
  writeFileSync(file, '{"offsetMs":"tomorrow"}');
  expect(() => LocalClock.open(file)).toThrow('does not hold the offset of a clock');
  rmSync(folder, { recursive: true });
});

test('fractions of milliseconds and backward advances are refused', () => {
  const clock = made(new LocalClock());
  expect(() => clock.set(1.5)).toThrow('whole milliseconds, got 1.5');
  expect(() => clock.advance(-1)).toThrow('whole milliseconds, got -1');
});
