import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../local/lambda/environment.ts';
import { LocalClock } from '../../../local/parts/clock.ts';
import { StateMachines } from '../../../local/stepfunctions/state-machines.ts';
import type { JsonObject } from '../../../local/template/json.ts';
import type { StateMachineModel } from '../../../local/template/model.ts';
import { testFolder } from '../fixtures/small-app.ts';

const TASK = 'arn:aws:lambda:us-east-1:000000000000:function:task';
const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:small';
const fixture = (file: string, values: Record<string, string>): JsonObject => {
  const text = readFileSync(path.resolve(import.meta.dirname, file), 'utf8');
  return JSON.parse(text.replace(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? TASK)) as JsonObject;
};
const SMALL = fixture('../fixtures/small-machine.asl.json', { BucketName: 'archive' });

type Behaviour = (event: Record<string, unknown>) => unknown;

interface World {
  readonly clock: LocalClock;
  readonly machines: StateMachines;
  readonly calls: Record<string, unknown>[];
  readonly folder: string;
  readonly refused: Set<string>;
}

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.machines.stop();
    world.clock.close();
  }
});

function worldOf(
  definition: JsonObject,
  behave: Behaviour,
  objects: Record<string, string> = {},
  folder = newFolder(),
): World {
  const clock = new LocalClock();
  const calls: Record<string, unknown>[] = [];
  const refused = new Set<string>();
  const model: StateMachineModel = {
    name: 'small',
    arn: MACHINE,
    roleArn: 'arn:aws:iam::000000000000:role/small',
    definition,
  };
  const invoke = async (_: string, payload: string): Promise<Outcome> => {
    const event = JSON.parse(payload) as Record<string, unknown>;
    calls.push(event);
    try {
      return { kind: 'ok', payload: JSON.stringify((await behave(event)) ?? null), cpuMicros: 0 };
    } catch (error) {
      const { name, message } = error as Error;
      return { kind: 'error', error: { errorType: name, errorMessage: message, trace: [] }, cpuMicros: 0 };
    }
  };
  const machines = new StateMachines({
    machines: [model],
    clock,
    folder,
    portsOf: () => ({
      clock,
      invoke,
      refusal: async (action) => (refused.has(action) ? `not authorized to perform ${action}` : undefined),
      readObject: async (bucket, key) => {
        const text = objects[`${bucket}/${key}`];
        if (text === undefined) throw new Error('NoSuchKey');
        return text;
      },
    }),
  });
  const world = { clock, machines, calls, folder, refused };
  worlds.push(world);
  return world;
}

function newFolder(): string {
  return mkdtempSync(path.join(testFolder('stepfunctions'), 'run-'));
}

const named = (name: string) => Object.assign(new Error('as asked'), { name });
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));
const machineOf = (states: JsonObject, start = 'A'): JsonObject => ({ StartAt: start, States: states });
const task = (more: JsonObject = {}): JsonObject => ({ Type: 'Task', Resource: TASK, End: true, ...more });

test('a machine runs task, wait on the moved clock and distributed map to its end', async () => {
  const objects = { 'archive/manifest.json': '["a","b","c","d","e"]' };
  const world = worldOf(SMALL, (event) => ({ got: event.value }), objects);
  const input = JSON.stringify({ action: 'ok', batch_action: 'bill', manifest: 'manifest.json' });
  const { executionArn } = world.machines.start(MACHINE, 'run-1', input);
  await expect.poll(() => world.calls.length).toBe(1);
  await soon();
  expect(world.machines.describe(executionArn).status).toBe('RUNNING');
  world.clock.advance(3_600_000);
  const ended = await world.machines.untilEnded(executionArn);
  expect(ended.status).toBe('SUCCEEDED');
  // Five items in batches of two: 2 + 2 + 1.
  expect(
    world.calls
      .slice(1)
      .map((call) => (call.value as unknown[]).length)
      .sort(),
  ).toEqual([1, 2, 2]);
  expect(world.calls[1]).toEqual({
    action: 'bill',
    value: [
      { account: 'a', run: 'run-1' },
      { account: 'b', run: 'run-1' },
    ],
  });
  expect(JSON.parse(ended.output ?? '')).toMatchObject({ first: { payload: { got: 1 } }, manifest: 'manifest.json' });
});

test('a failing task is retried with pauses on the clock, then caught', async () => {
  const world = worldOf(SMALL, () => {
    throw named('AskedError');
  });
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{"action":"fail"}');
  await expect.poll(() => world.calls.length).toBe(1);
  await soon();
  world.clock.advance(600_000);
  await expect.poll(() => world.calls.length).toBe(2);
  await soon();
  world.clock.advance(600_000);
  await soon();
  expect(world.calls.length).toBe(2);
  world.clock.advance(600_000);
  const ended = await world.machines.untilEnded(executionArn);
  expect(world.calls.length).toBe(3);
  expect(ended).toMatchObject({ status: 'FAILED', error: 'RunFailed', cause: 'AskedError' });
});

test('one failing child of a map does not stop the others when failures are tolerated', async () => {
  const objects = { 'archive/m': '[1,2,3,4]' };
  const world = worldOf(
    SMALL,
    (event) => {
      if (JSON.stringify(event).includes('"account":3')) throw named('AskedError');
      return 'billed';
    },
    objects,
  );
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{"action":"x","batch_action":"b","manifest":"m"}');
  await expect.poll(() => world.calls.length).toBe(1);
  await soon();
  world.clock.advance(3_600_000);
  const ended = await world.machines.untilEnded(executionArn);
  expect(JSON.parse(ended.output ?? '')).toMatchObject({ batches: ['billed', { Error: 'AskedError' }] });
});

test('a manifest that cannot be read fails the map by name', async () => {
  const world = worldOf(SMALL, () => 'ok');
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{"action":"x","batch_action":"b","manifest":"m"}');
  await expect.poll(() => world.calls.length).toBe(1);
  await soon();
  world.clock.advance(3_600_000);
  expect(await world.machines.untilEnded(executionArn)).toMatchObject({
    status: 'FAILED',
    error: 'States.ItemReaderFailed',
  });
});

test('a role that may not invoke the function fails the task like Lambda does', async () => {
  const world = worldOf(machineOf({ A: task() }), () => 'ok');
  world.refused.add('lambda:InvokeFunction');
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{}');
  expect(await world.machines.untilEnded(executionArn)).toMatchObject({
    status: 'FAILED',
    error: 'Lambda.AWSLambdaException',
  });
});

test('a task over its TimeoutSeconds fails with States.Timeout, which States.TaskFailed does not retry', async () => {
  const retry = [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 0, MaxAttempts: 3 }];
  const world = worldOf(
    machineOf({ A: task({ TimeoutSeconds: 1, Retry: retry }) }),
    () => new Promise(() => undefined),
  );
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{}');
  expect(await world.machines.untilEnded(executionArn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  expect(world.calls).toHaveLength(1);
});

test('a payload over 256 KiB ends the execution, whatever it catches', async () => {
  const states = { A: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] }), B: { Type: 'Succeed' } };
  const world = worldOf(machineOf(states), () => 'x'.repeat(262_144));
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{}');
  expect(await world.machines.untilEnded(executionArn)).toMatchObject({
    status: 'FAILED',
    error: 'States.DataLimitExceeded',
  });
});

test('the context object has the execution and the local start time', async () => {
  const parameters = { 'id.$': '$$.Execution.Id', 'name.$': '$$.Execution.Name', 'at.$': '$$.Execution.StartTime' };
  const world = worldOf(machineOf({ A: task({ Parameters: parameters }) }), () => null);
  world.clock.set(Date.UTC(2027, 0, 1));
  const { executionArn } = world.machines.start(MACHINE, 'run-1', '{}');
  await world.machines.untilEnded(executionArn);
  expect(world.calls[0]).toEqual({ id: executionArn, name: 'run-1', at: expect.stringMatching(/^2027-01-01T00:00:0/) });
});

describe('names of executions', () => {
  const waiting = machineOf({ A: { Type: 'Wait', Seconds: 100, End: true } });

  test('the same name and input is the same execution while it runs; another input is refused', () => {
    const { machines } = worldOf(waiting, () => null);
    const first = machines.start(MACHINE, 'run-1', '{"a":1}');
    expect(machines.start(MACHINE, 'run-1', '{"a":1}')).toEqual(first);
    expect(() => machines.start(MACHINE, 'run-1', '{"a":2}')).toThrow(/Already Exists/);
    expect(machines.list(MACHINE)).toHaveLength(1);
  });

  test('a closed name is refused, with the same input too', async () => {
    const { machines, clock } = worldOf(waiting, () => null);
    const { executionArn } = machines.start(MACHINE, 'run-1', '{}');
    await soon();
    clock.advance(100_000);
    await machines.untilEnded(executionArn);
    expect(() => machines.start(MACHINE, 'run-1', '{}')).toThrow(/Already Exists/);
  });

  test('an execution can be stopped, and is ABORTED with the reason given', async () => {
    const { machines } = worldOf(waiting, () => null);
    const { executionArn } = machines.start(MACHINE, 'run-1', '{}');
    expect(await machines.abort(executionArn, 'Why', 'because')).toMatchObject({
      status: 'ABORTED',
      error: 'Why',
      cause: 'because',
    });
  });

  test('an execution that outlives the TimeoutSeconds of its machine is TIMED_OUT', async () => {
    const { machines, clock } = worldOf({ ...waiting, TimeoutSeconds: 50 }, () => null);
    const { executionArn } = machines.start(MACHINE, 'run-1', '{}');
    await soon();
    clock.advance(50_000);
    expect(await machines.untilEnded(executionArn)).toMatchObject({ status: 'TIMED_OUT' });
  });

  test('an execution cut off by the end of the stack runs again after the next start', async () => {
    const definition = machineOf({ A: task({ End: false, Next: 'B' }), B: { Type: 'Wait', Seconds: 10, End: true } });
    const first = worldOf(
      {
        ...definition,
        States: { ...(definition.States as JsonObject), A: { Type: 'Task', Resource: TASK, Next: 'B' } },
      },
      () => null,
    );
    const { executionArn } = first.machines.start(MACHINE, 'run-1', '{"a":1}');
    await expect.poll(() => first.calls.length).toBe(1);
    await first.machines.stop();
    expect(first.machines.describe(executionArn).status).toBe('RUNNING');
    const second = worldOf(machineOf({ A: task() }), () => 'done', {}, first.folder);
    expect(second.machines.resume()).toBe(1);
    expect(await second.machines.untilEnded(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"done"' });
    expect(second.calls).toEqual([{ a: 1 }]);
  });
});

describe('what the local engine would do otherwise than AWS is refused at load', () => {
  const refusals: [string, JsonObject, RegExp][] = [
    ['JSONata', { ...machineOf({ A: task() }), QueryLanguage: 'JSONata' }, /JSONata|not valid/],
    ['Assign', machineOf({ A: task({ Assign: { x: 1 } }) }), /Assign|not valid/],
    ['Arguments', machineOf({ A: task({ Arguments: {} }) }), /Arguments|not valid/],
    ['Output', machineOf({ A: task({ Output: {} }) }), /Output|not valid/],
    [
      'a task token',
      machineOf({ A: task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }) }),
      /waitForTaskToken/,
    ],
    ['a heartbeat', machineOf({ A: task({ HeartbeatSeconds: 5 }) }), /HeartbeatSeconds|not valid/],
    [
      'a parallel state',
      machineOf({ A: { Type: 'Parallel', Branches: [machineOf({ B: task() })], End: true } }),
      /Parallel/,
    ],
    [
      'the time a state was entered',
      machineOf({ A: task({ Parameters: { 'at.$': '$$.State.EnteredTime' } }) }),
      /State\.EnteredTime/,
    ],
    [
      'a catch of States.TaskFailed',
      machineOf({ A: task({ Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'A' }] }) }),
      /TaskFailed/,
    ],
  ];
  test.each(refusals)('%s', (_, definition, message) => {
    expect(() => worldOf(definition, () => null)).toThrow(message);
  });
});

test('the monthly workflow of the product runs through: settle, reconcile, manifest, batches, publish, report', async () => {
  const definition = fixture('../../../statemachines/monthly-billing.asl.json', { Partition: 'aws' });
  const objects = {
    'archive/manifest': JSON.stringify(Array.from({ length: 60 }, (_, index) => ({ account: index }))),
  };
  let steps = 0;
  const world = worldOf(
    definition,
    (event) => {
      if ('cursor' in event) {
        // Settling and reconciling take three calls each.
        steps += 1;
        return steps % 3 === 0 ? { done: true, cursor: null } : { done: false, cursor: `c${steps}` };
      }
      if ('through' in event) return { accounts: 60, bucket: 'archive', key: 'manifest' };
      return {};
    },
    objects,
  );
  const input = {
    project_id: 'prj_1',
    run_id: 'run_1',
    as_of: '2026-12-01T00:00:00.000Z',
    through: null,
    reason: 'test',
  };
  const { executionArn } = world.machines.start(MACHINE, 'run_1', JSON.stringify(input));
  expect(await world.machines.untilEnded(executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  expect(world.calls.filter((call) => 'cursor' in call).map((call) => call.cursor)).toEqual([
    null,
    'c1',
    'c2',
    null,
    'c4',
    'c5',
  ]);
  // 60 accounts in batches of 25: three batches, three tasks each.
  expect(world.calls.filter((call) => 'items' in call)).toHaveLength(9);
});
