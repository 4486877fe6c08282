import type { ApiClient } from '../cli/api-client.ts';
import type { LocalStack } from '../local/stack.ts';
import { withBenchStack } from './bench-stack.ts';
import { METERS, randomOf, type SentEvent, smallEvent } from './workload.ts';

/**
 * Events a second from the HTTP request to the views, on the whole local stack: every part of it, the client included, shares
 * this machine's processors. The clock stops when every customer's usage is right in GET /v1/usage.
 */
export interface Throughput {
  readonly events: number;
  readonly eventsPerSecond: number;
  /** From the first request to the last answer. */
  readonly acceptedPerSecond: number;
}

const PER_REQUEST = 500;
const SENDERS = 4;

export async function throughput(events: number, onStep: (step: string) => void): Promise<Throughput> {
  return withBenchStack(
    (step) => onStep(`throughput: ${step}`),
    async ({ stack, client }) => {
      for (const { eventType, ...meter } of METERS.meters)
        await client.post('/v1/meters', { ...meter, event_type: eventType });
      onStep(`throughput: ${events} events`);
      return measured(stack, client, events);
    },
  );
}

async function measured(stack: LocalStack, client: ApiClient, events: number): Promise<Throughput> {
  const requests = requestsOf(events, stack.clock.now());
  const expected = new Map<string, number>();
  for (const { customer } of requests.flat()) expected.set(customer, (expected.get(customer) ?? 0) + 1);
  const started = performance.now();
  const waiting = [...requests];
  const sender = async () => {
    for (let some = waiting.shift(); some !== undefined; some = waiting.shift()) {
      const { status, body } = await client.send('POST', '/v1/events', some);
      if (status !== 202) throw new Error(`POST /v1/events answered ${status}: ${JSON.stringify(body).slice(0, 400)}`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const accepted = performance.now();
  let visible = accepted;
  do {
    // The tail below a flush would be folded within the views' age; here a sweep does it at once.
    await stack.invoke('sweep-usage', { scope: 'daily' });
    visible = performance.now();
    if (visible - accepted > 120_000) throw new Error('The usage did not become visible within two minutes.');
  } while (!(await isVisible(client, expected, stack.clock.now())));
  const perSecond = (end: number) => (events / (end - started)) * 1000;
  return { events, eventsPerSecond: perSecond(visible), acceptedPerSecond: perSecond(accepted) };
}

function requestsOf(events: number, millis: number): SentEvent[][] {
  const random = randomOf(4711);
  return Array.from({ length: Math.ceil(events / PER_REQUEST) }, (_, request) =>
    Array.from({ length: Math.min(PER_REQUEST, events - request * PER_REQUEST) }, (_, i) =>
      smallEvent({ millis: millis - events + request * PER_REQUEST + i, random, ids: 'carried' }),
    ),
  );
}

/** Whether every customer's events are counted; stops at the first that are not all there yet. */
async function isVisible(client: ApiClient, expected: ReadonlyMap<string, number>, now: number): Promise<boolean> {
  const hour = 3_600_000;
  const from = new Date(Math.floor(now / hour) * hour - hour).toISOString();
  const to = new Date(Math.floor(now / hour) * hour + hour).toISOString();
  for (const [customer, count] of expected) {
    const answer = await client.get(`/v1/usage?customer=${customer}&meter=calls&from=${from}&to=${to}`);
    const rows = (answer as { data: { quantity: string }[] }).data;
    if (rows.reduce((sum, { quantity }) => sum + Number(quantity), 0) !== count) return false;
  }
  return true;
}
