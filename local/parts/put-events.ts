import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../gateway/arns.ts';
import { ServiceError } from '../gateway/backend.ts';

/**
 * The entries of PutEvents: their limits, their faults one by one, and the event that targets get.
 * Does not own: what happens to an accepted event (eventbridge.ts).
 */
export interface DeliveredEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface LoggedEvent {
  readonly bus: string;
  readonly event: DeliveredEvent;
}

type Entry = Readonly<Record<string, unknown>>;

const MOST_ENTRIES = 10;
/** Of all entries together, as AWS counts them. */
const MOST_BYTES = 1_048_576;
/** Accepts the entries that are right and says of the others what is wrong. Throws ServiceError when there are too many, or too much. */
export function putEvents(
  input: Entry,
  bridge: { buses: ReadonlySet<string>; now: number; accept: (logged: LoggedEvent) => void },
): object {
  const entries = Array.isArray(input.Entries) ? (input.Entries as Entry[]) : [];
  if (entries.length === 0 || entries.length > MOST_ENTRIES) {
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MOST_ENTRIES}, got ${entries.length}`,
    );
  }
  const bytes = entries.reduce((total, entry) => total + entryBytes(entry), 0);
  if (bytes > MOST_BYTES) {
    throw new ServiceError(
      'ValidationException',
      `Total size of the entries in the request is over the limit of ${MOST_BYTES} bytes.`,
    );
  }
  const results = entries.map((entry) => {
    const fault = faultOf(entry, bridge.buses);
    if (fault !== undefined) return { ErrorCode: fault.code, ErrorMessage: fault.message };
    const event = eventFromEntry(entry, bridge.now);
    bridge.accept({ bus: busOf(entry), event });
    return { EventId: event.id };
  });
  return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
}

function faultOf(entry: Entry, buses: ReadonlySet<string>): { code: string; message: string } | undefined {
  const missing = ['Source', 'DetailType', 'Detail'].find(
    (name) => typeof entry[name] !== 'string' || entry[name] === '',
  );
  if (missing !== undefined)
    return {
      code: 'InvalidArgument',
      message: `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`,
    };
  if (!buses.has(busOf(entry))) {
    // AWS drops such an event without a word. Locally it is an error, so that a misspelt bus is seen.
    return { code: 'ResourceNotFoundException', message: `Event bus ${busOf(entry)} does not exist.` };
  }
  const isObject = isJsonObject(String(entry.Detail));
  return isObject ? undefined : { code: 'MalformedDetail', message: 'Detail is malformed.' };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function eventFromEntry(entry: Entry, now: number): DeliveredEvent {
  const at = typeof entry.Time === 'number' ? entry.Time * 1000 : now;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': String(entry.DetailType),
    source: String(entry.Source),
    account: ACCOUNT,
    time: `${new Date(at).toISOString().slice(0, 19)}Z`,
    region: REGION,
    resources: Array.isArray(entry.Resources) ? entry.Resources.map(String) : [],
    detail: JSON.parse(String(entry.Detail)),
  };
}

/** Buses may be named by ARN. */
function busOf(entry: Entry): string {
  return String(entry.EventBusName ?? 'default').replace(/^arn:.*:event-bus\//, '');
}

/** The size of one entry as AWS counts it, in bytes. */
function entryBytes(entry: Entry): number {
  const texts = [
    entry.Source,
    entry.DetailType,
    entry.Detail,
    ...(Array.isArray(entry.Resources) ? entry.Resources : []),
  ];
  const time = entry.Time === undefined ? 0 : 14;
  return texts.reduce<number>((total, text) => total + (typeof text === 'string' ? Buffer.byteLength(text) : 0), time);
}
