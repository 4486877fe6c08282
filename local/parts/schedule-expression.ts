import { Cron } from 'croner';

/**
 * The schedule expressions of EventBridge Scheduler and rules: rate(...), cron(...), at(...).
 *
 * Owns: what they mean. AWS's cron has no seconds, has a year, counts week days from 1 = Sunday and wants a `?`; croner
 * counts from 0 = Sunday, so every field is converted, never passed through. In the hour that a time zone skips in spring
 * nothing fires; in the one that it repeats in autumn a fixed time fires once. Does not own: firing (scheduler.ts).
 */
export interface Occurrences {
  /** The first occurrence after `after`; null when there is none. Both in ms since the epoch. */
  next(after: number): number | null;
  /** The last occurrence in (`after`, `notAfter`]; null when there is none. */
  latest(after: number, notAfter: number): number | null;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads an expression. `base` (ms since the epoch) is when a rate starts to count.
 * @throws Error that names what is wrong with the expression or the time zone.
 */
export function parseSchedule(expression: string, timeZone: string, base: number): Occurrences {
  const [, kind = '', content = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (!isTimeZone(timeZone)) throw new Error(`${timeZone} is no time zone (schedule ${expression}).`);
  if (kind === 'rate') return rate(content, base);
  if (kind === 'cron') return cron(content, timeZone);
  if (kind === 'at' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(content)) return once(content, timeZone);
  throw new Error(`${expression} is no schedule: expected rate(...), cron(...) or at(yyyy-mm-ddThh:mm:ss).`);
}

function rate(content: string, base: number): Occurrences {
  const [, digits = '', unit = '', plural = ''] = /^([1-9]\d*) (minute|hour|day)(s?)$/.exec(content) ?? [];
  const every = Number(digits) * (UNIT_MS[unit] ?? 0);
  // AWS insists on the grammar: 1 minute, 2 minutes.
  if (every === 0 || (digits === '1') === (plural === 's')) throw new Error(`rate(${content}) is no rate.`);
  const latestBy = (instant: number) => base + Math.floor((instant - base) / every) * every;
  return {
    next: (after) => Math.max(latestBy(after), base) + every,
    latest: (after, notAfter) => {
      const found = latestBy(notAfter);
      return found > Math.max(after, base) ? found : null;
    },
  };
}

function once(content: string, timeZone: string): Occurrences {
  const at = new Cron(content, { timezone: timeZone, paused: true, allowPast: true }).getOnce()?.getTime();
  if (at === undefined) throw new Error(`at(${content}) is no time.`);
  return {
    next: (after) => (at > after ? at : null),
    latest: (after, notAfter) => (at > after && at <= notAfter ? at : null),
  };
}

function cron(content: string, timeZone: string): Occurrences {
  const job = new Cron(cronerPattern(content), { mode: '7-part', timezone: timeZone, paused: true });
  const next = (after: number): number | null => {
    // croner moves what falls into a skipped hour behind it; AWS leaves it out, so only true matches count.
    for (let run = job.nextRun(new Date(after)); run !== null; run = job.nextRun(run)) {
      if (job.match(run)) return run.getTime();
    }
    return null;
  };
  return {
    next,
    latest: (after, notAfter) => {
      // previousRuns looks before its instant, and may name the second of two equal wall times or one in a skipped hour.
      const found = job.previousRuns(2, new Date(notAfter + 1000)).map((run) => run.getTime());
      return found.find((time) => time <= notAfter && time > after && next(time - 1) === time) ?? null;
    },
  };
}

interface Field {
  readonly name: string;
  readonly last: number;
  readonly names?: readonly string[];
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const FIELDS: readonly Field[] = [
  { name: 'minutes', last: 59 },
  { name: 'hours', last: 23 },
  { name: 'day of month', last: 31 },
  { name: 'month', last: 12, names: MONTHS },
  { name: 'day of week', last: 7, names: DAYS },
  { name: 'year', last: 2199 },
];

/** AWS's six fields as croner's seven: seconds in front, `?` as `*`, week days from 0. */
export function cronerPattern(content: string): string {
  const fields = content.trim().split(/\s+/);
  if (fields.length !== 6) throw new Error(`cron(${content}) has ${fields.length} fields; AWS takes 6.`);
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`cron(${content}) needs a ? in exactly one of day of month and day of week.`);
  }
  const converted = fields.map((text, n) => {
    const field = FIELDS[n];
    if (field === undefined) throw new Error('unreachable: six fields');
    if (text === '?') {
      if (n !== 2 && n !== 4) throw new Error(`cron(${content}) has a ? in ${field.name}.`);
      return '*';
    }
    return text
      .toUpperCase()
      .split(',')
      .map((part) => convertPart(part, field, content))
      .join(',');
  });
  return ['0', ...converted].join(' ');
}

/** One part of a list: `*`, a value, a range, each with an optional step; L, nL, n#k, nW where AWS has them. */
function convertPart(part: string, field: Field, content: string): string {
  const isWeekDay = field.name === 'day of week';
  const shift = isWeekDay ? 1 : 0;
  const value = (text: string): number => {
    const named = field.names?.indexOf(text) ?? -1;
    const number = named === -1 ? (/^\d+$/.test(text) ? Number(text) : Number.NaN) : named + 1;
    const first = field.names !== undefined || field.name === 'day of month' ? 1 : 0;
    if (Number.isNaN(number) || number < first || number > field.last) {
      throw new Error(`cron(${content}): ${text} is not in ${field.name}.`);
    }
    return number - shift;
  };
  if (isWeekDay && part === 'L') return String(field.last - shift);
  if (isWeekDay && /^[^#]+L$/.test(part)) return `${value(part.slice(0, -1))}L`;
  if (isWeekDay && /#[1-5]$/.test(part)) return `${value(part.slice(0, -2))}${part.slice(-2)}`;
  if (field.name === 'day of month' && (part === 'L' || part === 'LW')) return part;
  if (field.name === 'day of month' && part.endsWith('W')) return `${value(part.slice(0, -1))}W`;
  const [range = '', step] = part.split('/');
  if (step !== undefined && !/^[1-9]\d*$/.test(step)) throw new Error(`cron(${content}): ${part} has a bad step.`);
  const every = step === undefined ? '' : `/${step}`;
  if (range === '*') return `*${every}`;
  const [from = '', to] = range.split('-');
  if (to !== undefined) return `${value(from)}-${value(to)}${every}`;
  return step === undefined ? String(value(from)) : `${value(from)}-${field.last - shift}${every}`;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
