import type { ApiClient } from '../../cli/api-client.ts';
import type { LocalClock } from '../parts/clock.ts';
import type { EventsDocument } from './api-documents.ts';
import type { DemoDay, DemoEvent } from './demo-traffic.ts';

export interface SentMonth {
  readonly sent: number;
  /** The events that the API accepted, in the order in which they were sent. */
  readonly accepted: readonly DemoEvent[];
  /** How often each code was given. */
  readonly rejected: ReadonlyMap<string, number>;
}

/** Lives through the days: moves the clock to each, and sends what that day sends. */
export async function sendMonth(
  days: readonly DemoDay[],
  deps: {
    client: ApiClient;
    clock: LocalClock;
    onSent: (events: number) => void;
    /** What else happens on a day of the month, before its usage is sent. */
    onDay: (day: number) => Promise<void>;
  },
): Promise<SentMonth> {
  const accepted: DemoEvent[] = [];
  const rejected = new Map<string, number>();
  let sent = 0;
  for (const [index, { sentAtMillis, requests }] of days.entries()) {
    deps.clock.set(sentAtMillis);
    await deps.onDay(index + 1);
    // What a day sends, it sends at once, as several servers would.
    const answers = await Promise.all(requests.map((events) => sendOne(events, deps.client)));
    for (const [i, answer] of answers.entries()) {
      const events = requests[i] ?? [];
      const refused = new Set(answer.rejected.map(({ index }) => index));
      accepted.push(...events.filter((_event, index) => !refused.has(index)));
      for (const { code } of answer.rejected) rejected.set(code, (rejected.get(code) ?? 0) + 1);
      sent += events.length;
      deps.onSent(events.length);
    }
  }
  return { sent, accepted, rejected };
}

/** Sends one request. Throws when an event is neither accepted nor refused. */
async function sendOne(events: readonly DemoEvent[], client: ApiClient): Promise<EventsDocument> {
  const { status, body } = await client.send('POST', '/v1/events', events);
  if (status !== 202) throw new Error(`POST /v1/events answered ${status}: ${JSON.stringify(body)}`);
  const answer = body as EventsDocument;
  if (answer.accepted + answer.rejected.length === events.length) return answer;
  throw new Error(`Of ${events.length} events ${answer.accepted} were accepted and ${answer.rejected.length} refused.`);
}
