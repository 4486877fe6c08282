import { rawCall } from '../support/scenario-api.ts';
import { requestAt, requestsOf, type TrafficPlan } from './traffic.ts';

/** Several senders that take requests in turn and send each until it is accepted, whatever becomes of the stack meanwhile. */
export interface Sent {
  /** Requests that were answered with 202: the first so many of the plan. */
  readonly requests: number;
  /** Events in all tries, and accepted by the answers that arrived. */
  readonly tried: number;
  readonly answered: number;
  readonly retries: number;
  /** What an answer said that it should not have. */
  readonly faults: readonly string[];
}

export interface SendInput {
  readonly plan: TrafficPlan;
  readonly senders: number;
  readonly api: { readonly apiUrl: string };
  readonly key: string;
  /** No new request is begun once this is so. */
  readonly isTimeUp: () => boolean;
  readonly onSent: (events: number) => void;
}

const PAUSE_MILLIS = 300;
const GIVE_UP_MILLIS = 10 * 60_000;
const TIMEOUT_MILLIS = 30_000;
const MAY_SUCCEED_LATER = new Set([429, 500, 502, 503, 504]);

export async function sendAll(input: SendInput): Promise<Sent> {
  const { plan, isTimeUp } = input;
  const sent = { requests: 0, tried: 0, answered: 0, retries: 0, faults: [] as string[] };
  let next = 0;
  const sender = async () => {
    while (next < requestsOf(plan) && !isTimeUp()) {
      const request = next;
      next += 1;
      await sendOne(request, input, sent);
      sent.requests += 1;
    }
  };
  await Promise.all(Array.from({ length: input.senders }, sender));
  return sent;
}

async function sendOne(
  request: number,
  { plan, api, key, onSent }: SendInput,
  sent: { -readonly [K in keyof Sent]: Sent[K] } & { faults: string[] },
): Promise<void> {
  const { body, accepted } = requestAt(plan, request);
  for (const started = performance.now(); performance.now() - started < GIVE_UP_MILLIS; sent.retries += 1) {
    sent.tried += accepted;
    const answer = await answerOf(api.apiUrl, key, body);
    if (answer?.status === 202) {
      sent.answered += answer.body.accepted;
      if (answer.body.accepted !== accepted || answer.body.rejected.length !== body.length - accepted) {
        sent.faults.push(
          `Request ${request}: ${answer.body.accepted} accepted, ${answer.body.rejected.length} rejected; expected ${accepted} and ${body.length - accepted}.`,
        );
      }
      return onSent(body.length);
    }
    if (answer !== undefined && !MAY_SUCCEED_LATER.has(answer.status))
      sent.faults.push(
        `Request ${request} was answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 300)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }
  throw new Error(`Request ${request} found no answer in ${GIVE_UP_MILLIS / 60_000} minutes.`);
}

/** The answer, or undefined when there is none: the stack is down, or the time is up. */
async function answerOf(apiUrl: string, key: string, body: readonly object[]) {
  try {
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error('late')), TIMEOUT_MILLIS).unref();
    });
    return await Promise.race([rawCall(`${apiUrl}/v1/events`, { method: 'POST', body, key }), late]);
  } catch {
    return undefined;
  }
}
