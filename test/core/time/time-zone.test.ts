import { expect, test } from 'vitest';
import { isTimeZone } from '../../../core/time/time-zone.ts';

test.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Argentina/Ushuaia'])(
  '%s is a time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

test.each(['', '+05:30', '-05:17', 'Berlin', 'Europe/Nowhere', 'Mars/Olympus', '1Europe/Berlin', 'local'])(
  '%j is refused',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);
