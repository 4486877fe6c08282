import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../core/time/instant.ts';
import { nextLocalHour } from '../../../core/time/local-day.ts';

describe('the end of an hour on a local clock', () => {
  test.each([
    ['UTC', '2026-11-21T03:00:00Z', '2026-11-21T04:00:00Z'],
    ['UTC', '2026-11-21T03:59:59.999Z', '2026-11-21T04:00:00Z'],
    ['UTC', '2026-11-21T03:12:34.567Z', '2026-11-21T04:00:00Z'],
    // +05:45: 08:45 there is 03:00 in UTC
    ['Asia/Kathmandu', '2026-11-21T03:00:00Z', '2026-11-21T03:15:00Z'],
    ['Asia/Kathmandu', '2026-11-21T03:15:00Z', '2026-11-21T04:15:00Z'],
    ['Asia/Kolkata', '2026-11-21T03:00:00Z', '2026-11-21T03:30:00Z'],
    // Berlin's clocks go forward at 01:00 UTC and back at 01:00 UTC: full hours stay full hours
    ['Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z'],
    // Lord Howe (+10:30, summer +11:00): back from 02:00 to 01:30 on 5 April, and 01:30 to 02:00 comes twice
    ['Australia/Lord_Howe', '2026-04-04T14:00:00Z', '2026-04-04T15:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', '2026-04-04T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:10:00Z', '2026-04-04T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:30:00Z', '2026-04-04T16:30:00Z'],
    // and forward from 02:00 to 02:30 on 4 October
    ['Australia/Lord_Howe', '2026-10-03T14:30:00Z', '2026-10-03T15:30:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-03T16:00:00Z'],
  ])('%s: after %s comes %s', (zone, at, next) => {
    expect(nextLocalHour(parseInstant(at), zone)).toBe(parseInstant(next));
  });
});
