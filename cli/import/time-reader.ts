import { Temporal } from 'temporal-polyfill';

/**
 * Times of a file to RFC 3339 UTC. Formats: `iso` (RFC 3339, or the same with a space and without an offset), `epoch-seconds`,
 * `epoch-millis`, or a pattern of YYYY MM DD HH mm ss and literal signs. A time without an offset is in the given zone.
 */
export type TimeReader = (value: unknown) => string;

const FIELDS = { YYYY: '\\d{4}', MM: '\\d{2}', DD: '\\d{2}', HH: '\\d{2}', mm: '\\d{2}', ss: '\\d{2}' } as const;

/** A reader for one format and zone. Throws for an unknown format; the reader throws a sentence for a time it cannot read. */
export function timeReader(format: string, timeZone: string): TimeReader {
  Temporal.Instant.from('1970-01-01T00:00:00Z').toZonedDateTimeISO(timeZone);
  if (format === 'epoch-seconds') return (value) => epoch(value, 1_000_000_000n);
  if (format === 'epoch-millis') return (value) => epoch(value, 1_000_000n);
  if (format === 'iso') return (value) => isoTime(String(value).trim(), timeZone);
  return patternReader(format, timeZone);
}

function unreadable(value: unknown, expected: string): never {
  throw new Error(`Got time ${JSON.stringify(value)}; expected ${expected}.`);
}

/** Whole and fractional seconds or milliseconds, exact to the nanosecond. */
function epoch(value: unknown, nanosPerUnit: bigint): string {
  const match = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(String(value).trim());
  if (match === null) unreadable(value, 'a number of seconds or milliseconds since 1970');
  const fraction = (BigInt((match[2] ?? '').padEnd(9, '0')) * nanosPerUnit) / 1_000_000_000n;
  return Temporal.Instant.fromEpochNanoseconds(BigInt(match[1] ?? 0) * nanosPerUnit + fraction).toString();
}

function isoTime(text: string, timeZone: string): string {
  try {
    if (/(?:[zZ]|[+-]\d{2}:\d{2})$/.test(text)) return Temporal.Instant.from(text.replace(' ', 'T')).toString();
    return inZone(Temporal.PlainDateTime.from(text.replace(' ', 'T')), timeZone);
  } catch {
    return unreadable(text, 'a time such as 2023-11-16 18:17:03.979 or 2023-11-16T18:17:03Z');
  }
}

/** A local time that the zone skips (spring) moves forward; one that it has twice (autumn) is the earlier. */
function inZone(local: Temporal.PlainDateTime, timeZone: string): string {
  return local.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).toInstant().toString();
}

function patternReader(format: string, timeZone: string): TimeReader {
  const order: string[] = [];
  const source = format.replace(/YYYY|MM|DD|HH|mm|ss|[.*+?^${}()|[\]\\]/g, (part) => {
    if (!(part in FIELDS)) return `\\${part}`;
    order.push(part);
    return `(${FIELDS[part as keyof typeof FIELDS]})`;
  });
  if (!['YYYY', 'MM', 'DD'].every((part) => order.includes(part))) {
    throw new Error(
      `Got time format "${format}"; expected iso, epoch-seconds, epoch-millis or a pattern with YYYY, MM and DD.`,
    );
  }
  const pattern = new RegExp(`^${source}(\\.\\d{1,9})?$`);
  return (value) => {
    const match = pattern.exec(String(value).trim());
    if (match === null) return unreadable(value, `a time of the form ${format}`);
    const part = (name: string) => match[order.indexOf(name) + 1] ?? '00';
    const fraction = match[order.length + 1] ?? '';
    return isoTime(
      `${part('YYYY')}-${part('MM')}-${part('DD')}T${part('HH')}:${part('mm')}:${part('ss')}${fraction}`,
      timeZone,
    );
  };
}
