import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InvocationRecord } from '../../../local/lambda/function-runner.ts';
import { LambdaRuntime } from '../../../local/lambda/lambda-runtime.ts';
import { LocalClock } from '../../../local/parts/clock.ts';
import { MetricsSink } from '../../../local/parts/metrics.ts';
import { readApp } from '../../../local/template/read-app.ts';
import { synthSmallApp, testFolder } from '../fixtures/small-app.ts';

const clock = new LocalClock();
const metrics = new MetricsSink();
const records: InvocationRecord[] = [];
const failures: string[] = [];
let folder: string;
let runtime: LambdaRuntime;

beforeAll(() => {
  folder = testFolder('lambda');
  const app = readApp(synthSmallApp(folder), 'http://127.0.0.1:1');
  runtime = new LambdaRuntime({
    functions: app.functions,
    region: app.region,
    endpoint: 'http://127.0.0.1:1',
    clock,
    credentialsOf: (roleArn) => ({ accessKeyId: `LOCAL${roleArn.length}`, secretAccessKey: 'local' }),
    logFolder: path.join(folder, 'logs'),
    maxEnvironments: 2,
    takeMetric: (name, line) => metrics.take(name, line),
    onInvocation: (record) => records.push(record),
    onAsyncFailure: async (_, payload) => void failures.push(payload),
  });
});

afterAll(async () => {
  await runtime.stop();
  clock.close();
});

const task = async (event: object) => {
  const outcome = await runtime.invoke('task', JSON.stringify(event));
  return outcome.kind === 'ok' ? (JSON.parse(outcome.payload) as unknown) : outcome.error;
};

test('a handler gets exactly the variables of the template and those of Lambda', async () => {
  const variables = (await task({ action: 'env' })) as Record<string, string>;
  expect(variables).toMatchObject({
    TABLE: expect.stringMatching(/^SmallData-Items/),
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_LAMBDA_FUNCTION_NAME: expect.stringMatching(/^Small-Task/),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
  });
  expect(variables).not.toHaveProperty('QUEUE_URL');
  expect(variables).not.toHaveProperty('PATH');
});

test('the handler lives on the shared clock, whenever it is moved', async () => {
  clock.set(Date.UTC(2027, 2, 31, 23, 59, 59));
  const told = (await task({ action: 'clock' })) as { now: number; iso: string };
  expect(told.iso.slice(0, 16)).toBe('2027-03-31T23:59');
  clock.advance(3_600_000);
  const later = (await task({ action: 'clock' })) as { now: number };
  expect(later.now - told.now).toBeGreaterThanOrEqual(3_600_000);
});

test('a warm environment is used again', async () => {
  const before = records.length;
  const [first, second] = [await task({ action: 'clock' }), await task({ action: 'clock' })] as { loadedAt: number }[];
  expect(first?.loadedAt).toBe(second?.loadedAt);
  expect(records[before + 1]?.isCold).toBe(false);
});

test('two invocations at once run in two environments, a third waits', async () => {
  const started = performance.now();
  await Promise.all([1, 2, 3].map(() => task({ action: 'sleep', value: 300 })));
  expect(performance.now() - started).toBeGreaterThanOrEqual(600);
});

test('an error of the handler carries its name and message', async () => {
  expect(await task({ action: 'fail' })).toMatchObject({ errorType: 'AskedError', errorMessage: 'as asked' });
});

test('an invocation that outlives the timeout of the template is ended, and the next one works', async () => {
  expect(await task({ action: 'sleep', value: 10_000 })).toMatchObject({
    errorType: 'Sandbox.Timedout',
    errorMessage: expect.stringContaining('Task timed out after 3.00 seconds'),
  });
  expect(await task({ action: 'ok' })).toEqual({ done: null });
});

test('a process that ends, or an error outside of the handler, is a failed invocation', async () => {
  expect(await task({ action: 'crash' })).toMatchObject({ errorType: 'Runtime.ExitError' });
  const outside = (await task({ action: 'reject' })) as object;
  if ('done' in outside)
    expect(await task({ action: 'sleep', value: 200 })).toMatchObject({ errorType: expect.stringMatching(/^Runtime/) });
  expect(await task({ action: 'ok' })).toEqual({ done: null });
});

test('kill ends a running invocation at once', async () => {
  const running = task({ action: 'sleep', value: 2_500 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await runtime.kill('task')).toBeGreaterThan(0);
  expect(await running).toMatchObject({ errorType: 'Runtime.ExitError' });
});

test('an answer over 6 MB and a request over 6 MB are refused', async () => {
  expect(await task({ action: 'big', value: 6_291_556 })).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  expect(await task({ action: 'ok', value: 'x'.repeat(6_291_556) })).toMatchObject({
    errorType: 'RequestEntityTooLargeException',
  });
});

test('metrics in the embedded format reach their sink, other lines the log file', async () => {
  const metric = { _aws: { CloudWatchMetrics: [{ Namespace: 'Small', Metrics: [{ Name: 'N' }] }] }, N: 1 };
  await task({ action: 'log', value: JSON.stringify(metric) });
  await task({ action: 'log', value: 'a plain line' });
  await expect.poll(() => metrics.sum({ namespace: 'Small', name: 'N' })).toBe(1);
  const file = path.join(folder, 'logs', `${runtime.find('task').name}.log`);
  await expect.poll(() => readFileSync(file, 'utf8')).toContain('a plain line\n');
  expect(readFileSync(file, 'utf8')).not.toContain('_aws');
});

test('an asynchronous invocation is tried three times with pauses on the clock, then given up', async () => {
  const before = records.filter((record) => record.errorType === 'AskedError').length;
  const { settled } = runtime.invokeAsync('task', '{"action":"fail"}');
  const attempts = () => records.filter((record) => record.errorType === 'AskedError').length - before;
  await expect.poll(attempts).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  clock.advance(60_000);
  await expect.poll(attempts).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  clock.advance(120_000);
  await expect.poll(attempts).toBe(3);
  await settled;
  expect(failures).toEqual(['{"action":"fail"}']);
});
