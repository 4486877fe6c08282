import { setTimeout as sleep } from 'node:timers/promises';
import { API_VERSION, type Call } from './call.ts';
import type { Faults } from './faults.ts';
import { decodeForm } from './form-body.ts';
import { type Answer, IdempotencyLayer } from './idempotency.ts';
import type { Journal } from './journal.ts';
import type { StripeEvent } from './objects/events.ts';
import { type Params, readParams } from './params.ts';
import { type RateLimiter, tooMany } from './rate-limiter.ts';
import { type Match, matchRoute } from './routes.ts';
import { notBuilt, refused, StripeFault } from './stripe-fault.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface Incoming {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What to send back; `drop`: close the connection without an answer. */
export type Outcome = Answer | 'drop';

export interface PipelineParts {
  readonly journal: Journal;
  readonly apiKey: string;
  readonly now: () => number;
  readonly limiter: RateLimiter;
  readonly faults: Faults;
  readonly webhooks: WebhookSender;
}

/** Takes one request through Stripe's order of checks and executes it at most once per idempotency key. */
export class RequestPipeline {
  readonly #parts: PipelineParts;
  readonly #idempotency: IdempotencyLayer;
  /** Requests by endpoint, for tests. */
  readonly counts = new Map<string, number>();

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#idempotency = new IdempotencyLayer(parts.journal);
  }

  async answer(request: Incoming): Promise<Outcome> {
    const requestId = this.#nextId('req');
    this.#parts.journal.commit();
    try {
      return withRequestId(await this.#checked(request, requestId), requestId);
    } catch (error) {
      if (!(error instanceof StripeFault)) throw error;
      return withRequestId(faultAnswer(error), requestId);
    }
  }

  async #checked(request: Incoming, requestId: string): Promise<Outcome> {
    this.#authenticate(request);
    const match = matchRoute(request.method, request.path);
    if (match === 'not_built') throw notBuilt(`${request.method} ${request.path}`);
    if (match === null) {
      throw new StripeFault(404, {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${request.method}: ${request.path}).`,
      });
    }
    const { endpoint } = match.route;
    this.counts.set(endpoint, (this.counts.get(endpoint) ?? 0) + 1);
    const fault = this.#parts.faults.next(endpoint);
    if (fault?.kind === 'rate_limit') throw tooMany('endpoint-rate');
    if (fault?.kind === 'lock_timeout') throw tooMany('resource-specific', 'lock_timeout');
    this.#parts.limiter.take(endpoint);
    const params = readParams(match.route.params, decodeForm(request.method === 'POST' ? request.body : request.query));
    if (fault?.kind === 'drop_before') return 'drop';
    if (fault?.kind === 'error_before') throw ownError();
    const run = { request, requestId, match, params, fails: fault?.kind === 'error_stored' };
    const delayMs = fault?.kind === 'slow' ? (fault.delayMs ?? 0) : 0;
    const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined;
    const answer = key === undefined ? await this.#delayed(run, delayMs) : await this.#once(key, run, delayMs);
    return fault?.kind === 'drop_after' ? 'drop' : answer;
  }

  async #once(key: string, run: Run, delayMs: number): Promise<Answer> {
    const now = this.#parts.now() / 1000;
    const known = this.#idempotency.begin(key, { ...run.request, now });
    if (known) return known;
    try {
      if (delayMs > 0) await sleep(delayMs);
      return this.#execute(run, key);
    } finally {
      this.#idempotency.end(key);
    }
  }

  async #delayed(run: Run, delayMs: number): Promise<Answer> {
    if (delayMs > 0) await sleep(delayMs);
    return this.#execute(run, undefined);
  }

  /** Runs the handler; its effects, its events and its remembered answer are committed together. */
  #execute(run: Run, key: string | undefined): Answer {
    const { journal } = this.#parts;
    let answer: Answer;
    try {
      if (run.fails) throw ownError();
      answer = { status: 200, body: JSON.stringify(run.match.route.handle(this.#call(run, key))), headers: {} };
    } catch (error) {
      const keepsEffects = error instanceof StripeFault && error.keepEffects;
      if (!keepsEffects) journal.discard();
      if (!(error instanceof StripeFault)) throw error;
      answer = faultAnswer(error);
    }
    if (key !== undefined) {
      this.#idempotency.remember(key, { ...run.request, now: this.#parts.now() / 1000 }, answer, run.requestId);
    }
    journal.commit();
    void this.#parts.webhooks.pump();
    return answer;
  }

  #call(run: Run, key: string | undefined): Call {
    const now = Math.floor(this.#parts.now() / 1000);
    return {
      journal: this.#parts.journal,
      now,
      params: run.params,
      path: run.match.path,
      newId: (prefix) => this.#nextId(prefix),
      emit: (type, object) => {
        const event: StripeEvent = {
          id: this.#nextId('evt'),
          object: 'event',
          api_version: API_VERSION,
          created: now,
          livemode: false,
          type,
          pending_webhooks: 1,
          request: { id: run.requestId, idempotency_key: key ?? null },
          data: { object },
        };
        this.#parts.journal.put('event', event.id, event);
        this.#parts.webhooks.plan(event);
      },
    };
  }

  #nextId(prefix: string): string {
    const next = (this.#parts.journal.get<number>('meta', 'sequence') ?? 0) + 1;
    this.#parts.journal.put('meta', 'sequence', next);
    return `${prefix}_double${String(next).padStart(10, '0')}`;
  }

  #authenticate(request: Incoming): void {
    const [scheme, key = ''] = (request.headers.authorization ?? '').split(' ');
    if (scheme !== 'Bearer' || key !== this.#parts.apiKey) {
      throw new StripeFault(401, {
        type: 'invalid_request_error',
        message: `Invalid API Key provided: ${key.slice(0, 8)}***`,
      });
    }
    const version = request.headers['stripe-version'];
    if (version !== undefined && version !== API_VERSION) {
      throw refused(`Invalid Stripe API version: ${version}; the local double speaks ${API_VERSION}.`);
    }
  }
}

interface Run {
  readonly request: Incoming;
  readonly requestId: string;
  readonly match: Match;
  readonly params: Params;
  readonly fails: boolean;
}

function ownError(): StripeFault {
  return new StripeFault(500, { type: 'api_error', message: 'An unknown error occurred.' });
}

function faultAnswer(fault: StripeFault): Answer {
  return { status: fault.status, body: JSON.stringify({ error: fault.body }), headers: fault.headers };
}

function withRequestId(outcome: Outcome, requestId: string): Outcome {
  if (outcome === 'drop') return outcome;
  return { ...outcome, headers: { 'Request-Id': requestId, 'Stripe-Version': API_VERSION, ...outcome.headers } };
}
