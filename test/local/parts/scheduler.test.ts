import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { LocalClock } from '../../../local/parts/clock.ts';
import { cronerPattern, parseSchedule } from '../../../local/parts/schedule-expression.ts';
import { openScheduler, type SchedulerPart } from '../../../local/parts/scheduler.ts';
import { eventually } from '../../support/listening.ts';

const folder = mkdtempSync(join(tmpdir(), 'schedules-'));
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const ms = (text: string) => Date.parse(text);
function clockAt(text: string): LocalClock {
  const clock = new LocalClock();
  clock.set(ms(text));
  open.push(clock);
  return clock;
}
function schedulerOn(clock: LocalClock, file?: string): SchedulerPart {
  const scheduler = openScheduler({ clock, ...(file === undefined ? {} : { file }) });
  open.push(scheduler);
  return scheduler;
}

/** AWS's expression, croner's, by hand. Week days: AWS counts 1 = Sunday, croner 0 = Sunday. */
test.each([
  ['0 1 * * ? *', '0 0 1 * * * *'],
  ['15 10 ? * MON-FRI *', '0 15 10 * * 1-5 *'],
  ['0 8 ? * 1 *', '0 0 8 * * 0 *'],
  ['0 8 ? * 2-6 *', '0 0 8 * * 1-5 *'],
  ['0/15 * * * ? *', '0 0-59/15 * * * * *'],
  ['0 12 1/5 * ? *', '0 0 12 1-31/5 * * *'],
  ['0 12 L * ? *', '0 0 12 L * * *'],
  ['0 12 ? * 6L *', '0 0 12 * * 5L *'],
  ['0 12 ? * L *', '0 0 12 * * 6 *'],
  ['0 12 ? * 3#2 *', '0 0 12 * * 2#2 *'],
  ['0 12 15W * ? *', '0 0 12 15W * * *'],
  ['0 0 1 JAN,JUL ? 2026-2030', '0 0 0 1 1,7 * 2026-2030'],
])('cron(%s) becomes %s', (aws, croner) => {
  expect(cronerPattern(aws)).toBe(croner);
});

test.each([
  ['cron(0 1 * * *)', 'has 5 fields'],
  ['cron(0 1 * * * *)', 'needs a ?'],
  ['cron(0 1 ? * ? *)', 'needs a ?'],
  ['cron(0 1 ? * 0 *)', '0 is not in day of week'],
  ['cron(0 1 ? * 8 *)', '8 is not in day of week'],
  ['cron(60 1 * * ? *)', '60 is not in minutes'],
  ['cron(? 1 * * ? *)', 'has a ? in minutes'],
  ['cron(0/0 1 * * ? *)', 'bad step'],
  ['rate(1 minutes)', 'is no rate'],
  ['rate(5 minute)', 'is no rate'],
  ['rate(0 days)', 'is no rate'],
  ['every 5 minutes', 'is no schedule'],
])('%s is refused: %s', (expression, reason) => {
  expect(() => parseSchedule(expression, 'UTC', 0)).toThrow(reason);
});

test('an unknown time zone is refused', () => {
  expect(() => parseSchedule('rate(1 day)', 'Mars/Olympus', 0)).toThrow('Mars/Olympus is no time zone');
});

/** Expression, zone, after, next. 2026-11-21 is a Saturday. */
test.each([
  ['cron(0 1 * * ? *)', 'UTC', '2026-11-21T01:00:00Z', '2026-11-22T01:00:00Z'],
  ['cron(0 1 * * ? *)', 'UTC', '2026-11-21T00:59:59Z', '2026-11-21T01:00:00Z'],
  ['cron(0 8 ? * 1 *)', 'UTC', '2026-11-21T00:00:00Z', '2026-11-22T08:00:00Z'],
  ['cron(0 8 ? * SUN *)', 'UTC', '2026-11-21T00:00:00Z', '2026-11-22T08:00:00Z'],
  ['cron(0 1 * * ? *)', 'Asia/Kolkata', '2026-11-21T00:00:00Z', '2026-11-21T19:30:00Z'],
  ['cron(0 0 1 * ? *)', 'Asia/Kathmandu', '2026-11-21T00:00:00Z', '2026-11-30T18:15:00Z'],
  ['cron(0 12 L * ? *)', 'UTC', '2026-11-30T12:00:00Z', '2026-12-31T12:00:00Z'],
  // New York goes from 02:00 to 03:00 on 8 March 2026: 02:30 is not there that day.
  ['cron(30 2 * * ? *)', 'America/New_York', '2026-03-07T12:00:00Z', '2026-03-09T06:30:00Z'],
  // And from 02:00 back to 01:00 on 1 November 2026: 01:30 is there twice, and fires once.
  ['cron(30 1 * * ? *)', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z'],
  ['at(2026-12-24T18:00:00)', 'Europe/Berlin', '2026-11-21T00:00:00Z', '2026-12-24T17:00:00Z'],
])('%s in %s after %s fires at %s', (expression, zone, after, expected) => {
  const { next, latest } = parseSchedule(expression, zone, 0);
  expect(next(ms(after))).toBe(ms(expected));
  expect(latest(ms(after), ms(expected))).toBe(ms(expected));
  expect(latest(ms(after), ms(expected) - 1)).toBeNull();
});

test('a rate counts from its base', () => {
  const { next, latest } = parseSchedule('rate(5 minutes)', 'UTC', ms('2026-11-21T00:02:00Z'));
  expect(next(ms('2026-11-21T00:02:00Z'))).toBe(ms('2026-11-21T00:07:00Z'));
  expect(next(ms('2026-11-21T00:06:59Z'))).toBe(ms('2026-11-21T00:07:00Z'));
  expect(next(ms('2026-11-21T00:07:00Z'))).toBe(ms('2026-11-21T00:12:00Z'));
  expect(latest(ms('2026-11-21T00:02:00Z'), ms('2026-11-21T01:00:00Z'))).toBe(ms('2026-11-21T00:57:00Z'));
});

test('a schedule fires when the clock is moved past it, once for each move, with the instant it stands for', async () => {
  const clock = clockAt('2026-11-21T00:30:00Z');
  const scheduler = schedulerOn(clock);
  const fired: string[] = [];
  scheduler.add({ name: 'daily', expression: 'cron(0 1 * * ? *)', invoke: async (at) => void fired.push(at) });
  expect(scheduler.nextFiring('daily')).toBe(ms('2026-11-21T01:00:00Z'));
  clock.set(ms('2026-11-21T01:10:00Z'));
  expect(await eventually(() => fired.length === 1)).toBe(true);
  await scheduler.settled();
  clock.set(ms('2026-11-25T00:00:00Z'));
  expect(await eventually(() => fired.length === 2)).toBe(true);
  await scheduler.settled();
  expect(fired).toEqual(['2026-11-21T01:00:00Z', '2026-11-24T01:00:00Z']);
  expect(scheduler.nextFiring('daily')).toBe(ms('2026-11-25T01:00:00Z'));
});

test('after a restart a schedule goes on where it was: nothing twice, and what was missed once', async () => {
  const file = join(folder, 'kept.json');
  const clock = clockAt('2026-11-21T00:30:00Z');
  const fired: string[] = [];
  const daily = { name: 'daily', expression: 'cron(0 1 * * ? *)', invoke: async (at: string) => void fired.push(at) };
  const first = schedulerOn(clock, file);
  first.add(daily);
  clock.set(ms('2026-11-21T02:00:00Z'));
  expect(await eventually(() => fired.length === 1)).toBe(true);
  await first.settled();
  first.close();

  const second = schedulerOn(clock, file);
  second.add(daily);
  expect(second.nextFiring('daily')).toBe(ms('2026-11-22T01:00:00Z'));
  second.close();
  clock.set(ms('2026-11-23T12:00:00Z'));
  schedulerOn(clock, file).add(daily);
  expect(await eventually(() => fired.length === 2)).toBe(true);
  expect(fired).toEqual(['2026-11-21T01:00:00Z', '2026-11-23T01:00:00Z']);
});

test('a firing that was cut off before its target answered is fired again after a restart', async () => {
  const file = join(folder, 'cut.json');
  const clock = clockAt('2026-11-21T00:30:00Z');
  const fired: string[] = [];
  const first = schedulerOn(clock, file);
  first.add({
    name: 'daily',
    expression: 'cron(0 1 * * ? *)',
    invoke: (at) => {
      fired.push(`started ${at}`);
      return new Promise(() => undefined);
    },
  });
  clock.set(ms('2026-11-21T02:00:00Z'));
  expect(await eventually(() => fired.length === 1)).toBe(true);
  first.close();
  schedulerOn(clock, file).add({
    name: 'daily',
    expression: 'cron(0 1 * * ? *)',
    invoke: async (at) => void fired.push(`done ${at}`),
  });
  expect(await eventually(() => fired.length === 2)).toBe(true);
  expect(fired).toEqual(['started 2026-11-21T01:00:00Z', 'done 2026-11-21T01:00:00Z']);
});

test('a target that fails twice and then answers was fired once; the schedule goes on', async () => {
  const clock = clockAt('2026-11-21T00:30:00Z');
  const scheduler = schedulerOn(clock);
  let attempts = 0;
  scheduler.add({
    name: 'shaky',
    expression: 'rate(1 minute)',
    invoke: async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
    },
  });
  clock.advance(61_000);
  expect(await eventually(() => attempts === 3)).toBe(true);
  await scheduler.settled();
  expect(scheduler.failures).toEqual([]);
  expect(scheduler.nextFiring('shaky')).toBeGreaterThan(clock.now());
});
