import { expect, test } from 'vitest';
import { parseBillingPeriod } from '../../../core/time/billing-period.ts';
import { parseInstant } from '../../../core/time/instant.ts';
import {
  activeSpan,
  fractionOf,
  fractionText,
  isWhole,
  prorationOf,
  prorationText,
} from '../../../core/time/proration.ts';
import { startOfQuarterHour } from '../../../core/time/quarter-hour.ts';

const at = parseInstant;

test.each([
  // UTC, November has 30 days
  ['UTC', '2026-11', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z', '30/30'],
  ['UTC', '2026-11', '2026-11-14T00:00:00Z', '2026-12-01T00:00:00Z', '17/30'], // 14th to 30th
  ['UTC', '2026-11', '2026-11-14T10:15:00Z', '2026-12-01T00:00:00Z', '17/30'], // the day of the change is the new plan's
  ['UTC', '2026-11', '2026-11-01T00:00:00Z', '2026-11-14T10:15:00Z', '13/30'], // and not the old one's
  ['UTC', '2026-11', '2026-11-14T08:00:00Z', '2026-11-14T20:00:00Z', '0/30'],
  ['UTC', '2026-11', '2026-11-30T23:45:00Z', '2026-12-01T00:00:00Z', '1/30'],
  // February of a leap year and of another one
  ['UTC', '2028-02', '2028-02-29T00:00:00Z', '2028-03-01T00:00:00Z', '1/29'],
  ['UTC', '2027-02', '2027-02-15T00:00:00Z', '2027-03-01T00:00:00Z', '14/28'],
  // Berlin: 25 October 2026 has 25 hours, 29 March has 23; each is one day
  ['Europe/Berlin', '2026-10', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', '1/31'],
  ['Europe/Berlin', '2026-03', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', '1/31'],
  // Kolkata: 2026-11-14T20:00Z is the 15th there
  ['Asia/Kolkata', '2026-11', '2026-11-14T20:00:00Z', '2026-11-30T18:30:00Z', '16/30'],
  // Kathmandu: 18:15Z is midnight, a quarter hour before still belongs to the day before
  ['Asia/Kathmandu', '2026-11', '2026-11-14T18:00:00Z', '2026-11-30T18:15:00Z', '17/30'],
  ['Asia/Kathmandu', '2026-11', '2026-11-14T18:15:00Z', '2026-11-30T18:15:00Z', '16/30'],
  // Lord Howe: October 2026 begins at +10:30 and ends at +11
  ['Australia/Lord_Howe', '2026-10', '2026-09-30T13:30:00Z', '2026-10-31T13:00:00Z', '31/31'],
  ['Australia/Lord_Howe', '2026-10', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z', '1/31'],
  // an anniversary month from 31 January to 28 February
  ['UTC', '2026-01-31_2026-02-28', '2026-01-31T10:15:00Z', '2026-02-28T00:00:00Z', '28/28'],
])('in %s, period %s, the span [%s, %s) has %s days', (timeZone, key, start, ...[end, expected]) => {
  const period = parseBillingPeriod(key, timeZone);
  const { part, whole } = prorationOf({ start: at(start), end: at(end) }, period);
  expect(`${part}/${whole}`).toBe(expected);
});

test('the parts of a period split at any instant have all of its days', () => {
  const period = parseBillingPeriod('2026-10', 'Europe/Berlin');
  for (const split of [
    '2026-10-01T12:00:00Z',
    '2026-10-25T00:30:00Z',
    '2026-10-25T22:45:00Z',
    '2026-10-31T22:45:00Z',
  ]) {
    const before = prorationOf({ start: period.start, end: at(split) }, period);
    const after = prorationOf({ start: at(split), end: period.end }, period);
    expect(before.part + after.part).toBe(31);
    expect(fractionOf(before).plus(fractionOf(after)).toString()).toBe('1');
  }
});

test.each([
  // days of 24 hours: 17 x 86,400 of 30 x 86,400 seconds
  ['UTC', '2026-11', '2026-11-14T00:00:00Z', '2026-12-01T00:00:00Z', '1468800/2592000'],
  ['UTC', '2026-11', '2026-11-14T08:00:00Z', '2026-11-14T20:00:00Z', '43200/2592000'],
  ['UTC', '2028-02-29', '2028-02-29T23:45:00Z', '2028-03-01T00:00:00Z', '900/86400'],
  // Berlin: October 2026 has one hour more than 31 days, March one less; the 25th and the 29th have 25 and 23 hours
  ['Europe/Berlin', '2026-10', '2026-09-30T22:00:00Z', '2026-10-25T00:30:00Z', '2082600/2682000'],
  ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00Z', '2026-10-25T10:00:00Z', '43200/90000'],
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00Z', '2026-03-29T11:00:00Z', '43200/82800'],
  // New York: March 2026 lacks an hour, November has one more
  ['America/New_York', '2026-03', '2026-03-01T05:00:00Z', '2026-03-02T05:00:00Z', '86400/2674800'],
  ['America/New_York', '2026-11', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', '90000/2595600'],
  // Lord Howe: October lacks half an hour
  ['Australia/Lord_Howe', '2026-10', '2026-10-03T13:30:00Z', '2026-10-04T13:00:00Z', '84600/2676600'],
  // Apia: 30 days of 24 hours in December 2011
  ['Pacific/Apia', '2011-12', '2011-12-01T10:00:00Z', '2011-12-02T10:00:00Z', '86400/2592000'],
])('by second, in %s, period %s, the span [%s, %s) is %s', (timeZone, key, start, ...[end, expected]) => {
  const period = parseBillingPeriod(key, timeZone);
  expect(fractionText(prorationOf({ start: at(start), end: at(end) }, period, 'second'))).toBe(expected);
});

test.each([
  // 13 days and 10:15 hours have passed: 13 x 86,400 + 36,900 = 1,160,100 of 30 x 86,400 seconds
  ['UTC', '2026-11', '2026-11-14T10:17:33Z', '13/30', '17/30', '1160100/2592000', '1431900/2592000'],
  ['Asia/Kolkata', '2026-11', '2026-11-14T10:17:33+05:30', '13/30', '17/30', '1160100/2592000', '1431900/2592000'],
  ['Asia/Kathmandu', '2026-11', '2026-11-14T10:17:33+05:45', '13/30', '17/30', '1160100/2592000', '1431900/2592000'],
  // half an hour less since 4 October: 1,158,300 of 31 x 86,400 - 1,800
  [
    'Australia/Lord_Howe',
    '2026-10',
    '2026-10-14T10:17:33+11:00',
    '13/31',
    '18/31',
    '1158300/2676600',
    '1518300/2676600',
  ],
])('in %s, %s, a change at %s takes effect at 10:15 and splits the period there', (timeZone, key, now, ...expected) => {
  const period = parseBillingPeriod(key, timeZone);
  const change = startOfQuarterHour(at(now));
  const spans = [
    { start: period.start, end: change },
    { start: change, end: period.end },
  ];
  const shown = (['day', 'second'] as const).flatMap((unit) =>
    spans.map((span) => fractionText(prorationOf(span, period, unit))),
  );
  expect(shown).toEqual(expected);
});

test.each([
  // of the 30 dates that Apia had in December 2011, 28 before and 2 after a change on the 29th; the 30th was skipped
  ['Pacific/Apia', '2011-12', '2011-12-29T20:00:00Z', '28/30', '2/30'],
  ['Pacific/Apia', '2011-12', '2011-12-30T20:00:00Z', '29/30', '1/30'],
  ['Pacific/Apia', '2011-W52', '2011-12-30T10:00:00Z', '4/6', '2/6'],
  // the day St. John's had 23:30 twice
  ['America/St_Johns', '2009-11', '2009-11-01T03:15:00Z', '0/30', '30/30'],
  // São Paulo had no midnight on 4 November 2018
  ['America/Sao_Paulo', '2018-11', '2018-11-04T03:00:00Z', '3/30', '27/30'],
  ['America/Sao_Paulo', '2018-11', '2018-11-04T02:45:00Z', '2/30', '28/30'],
])('in %s, %s, a change at %s leaves %s and %s days', (timeZone, key, change, ...expected) => {
  const period = parseBillingPeriod(key, timeZone);
  const days = [
    prorationOf({ start: period.start, end: at(change) }, period),
    prorationOf({ start: at(change), end: period.end }, period),
  ];
  expect(days.map(({ part, whole }) => `${part}/${whole}`)).toEqual(expected);
});

test('an empty span is nothing of the period', () => {
  const period = parseBillingPeriod('2026-11', 'UTC');
  const span = { start: period.end, end: period.end };
  expect(prorationOf(span, period)).toEqual({ part: 0, whole: 30, unit: 'day' });
  expect(prorationOf(span, period, 'second')).toEqual({ part: 0, whole: 2_592_000, unit: 'second' });
});

test('a fraction is exact, shown as it was counted, and not shown for a full period', () => {
  const half = { part: 15, whole: 30, unit: 'day' } as const;
  const full = { part: 30, whole: 30, unit: 'day' } as const;
  expect(fractionOf(half).toString()).toBe('0.5');
  expect(fractionOf({ ...half, part: 17 }).toString()).toBe('17/30');
  expect(fractionOf({ ...half, part: 0 }).toString()).toBe('0');
  expect([isWhole(full), isWhole(half)]).toEqual([true, false]);
  expect([fractionText(full), fractionText(half)]).toEqual([null, '15/30']);
  expect(prorationText(half)).toBe('15/30 days');
  expect(prorationText({ part: 900, whole: 86_400, unit: 'second' })).toBe('900/86400 seconds');
});

test.each([
  ['2026-10-31T23:45:00Z', '2026-11-02T00:00:00Z'],
  ['2026-11-30T00:00:00Z', '2026-12-01T00:15:00Z'],
  ['2026-11-30T00:00:00Z', '2026-11-29T00:00:00Z'],
])('the span [%s, %s) is not within November', (start, end) => {
  expect(() => prorationOf({ start: at(start), end: at(end) }, parseBillingPeriod('2026-11', 'UTC'))).toThrow(
    expect.objectContaining({ code: 'span_outside_period' }),
  );
  expect(() =>
    prorationOf(
      { start: at('2026-10-31T23:45:00Z'), end: at('2026-11-02T00:00:00Z') },
      parseBillingPeriod('2026-11', 'UTC'),
    ),
  ).toThrow(
    'Got the span 2026-10-31T23:45:00.000Z to 2026-11-02T00:00:00.000Z; expected one within 2026-11-01T00:00:00.000Z to 2026-12-01T00:00:00.000Z.',
  );
});

test('what is active for part of a period is active over the overlap, and not at all where there is none', () => {
  const period = parseBillingPeriod('2026-11', 'UTC');
  const span = (start: string, end: string | null) =>
    activeSpan({ start: at(start), end: end === null ? null : at(end) }, period);
  expect(span('2026-01-01T00:00:00Z', null)).toEqual({ start: period.start, end: period.end });
  expect(span('2026-11-14T10:15:00Z', null)).toEqual({ start: '2026-11-14T10:15:00.000Z', end: period.end });
  expect(span('2026-01-01T00:00:00Z', '2026-11-14T10:15:00Z')).toEqual({
    start: period.start,
    end: '2026-11-14T10:15:00.000Z',
  });
  expect(span('2026-12-01T00:00:00Z', null)).toBeNull();
  expect(span('2026-01-01T00:00:00Z', '2026-11-01T00:00:00Z')).toBeNull();
});
