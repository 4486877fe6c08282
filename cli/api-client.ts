import { randomUUID } from 'node:crypto';

/**
 * A client of the HTTP API for the command line: JSON in and out, and patience with an API that is busy. Everything it sends
 * may be sent twice (events by their ids, the rest by an Idempotency-Key), so a lost answer is simply asked for again.
 */
export interface ApiClientOptions {
  readonly url: string;
  readonly key: string;
  /** Tries of one request, the first included. */
  readonly maxAttempts?: number;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface Try {
  readonly method: string;
  readonly path: string;
  readonly text: string | undefined;
  /** The same for every try of one request. */
  readonly key: string;
}

export class ApiRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, body: unknown, request: string) {
    const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
    super(`${request} was refused with ${status}: ${typeof detail === 'string' ? detail : JSON.stringify(body)}`);
    this.name = 'ApiRefused';
    this.status = status;
    this.code = typeof code === 'string' ? code : 'unknown';
  }
}

const RETRYABLE = new Set([408, 429, 500, 502, 503, 504]);
const FIRST_PAUSE_MILLIS = 200;
const LONGEST_PAUSE_MILLIS = 10_000;
const REQUEST_TIMEOUT_MILLIS = 35_000;

export class ApiClient {
  readonly #url: string;
  readonly #key: string;
  readonly #maxAttempts: number;

  constructor(options: ApiClientOptions) {
    this.#url = options.url.replace(/\/$/, '');
    this.#key = options.key;
    this.#maxAttempts = options.maxAttempts ?? 8;
  }

  get(path: string): Promise<unknown> {
    return this.#expect('GET', path, undefined);
  }

  /** Creates something, once per call: its tries share one Idempotency-Key, and the next call has another. */
  post(path: string, body: unknown): Promise<unknown> {
    return this.#expect('POST', path, body);
  }

  /** Sends a request and hands back whatever the API answered once it was not busy. */
  async send(method: string, path: string, body: unknown): Promise<ApiAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const key = randomUUID();
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#once({ method, path, text, key }).catch((error: unknown) => {
        if (attempt >= this.#maxAttempts) throw error;
        return undefined;
      });
      if (answer !== undefined && (!RETRYABLE.has(answer.status) || attempt >= this.#maxAttempts)) return answer;
      const pause = answer?.retryAfterMillis ?? Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** attempt);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #expect(method: string, path: string, body: unknown): Promise<unknown> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 400) throw new ApiRefused(answer.status, answer.body, `${method} ${path}`);
    return answer.body;
  }

  async #once({ method, path, text, key }: Try): Promise<ApiAnswer & { retryAfterMillis?: number }> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#key}`, accept: 'application/json' };
    if (text !== undefined) {
      headers['content-type'] = 'application/json';
      if (path !== '/v1/events') headers['idempotency-key'] = key;
    }
    const response = await fetch(this.#url + path, {
      method,
      headers,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MILLIS),
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await response.text();
    const retryAfter = Number(response.headers.get('retry-after'));
    return {
      status: response.status,
      body: answer === '' ? null : JSON.parse(answer),
      ...(retryAfter > 0 ? { retryAfterMillis: retryAfter * 1000 } : {}),
    };
  }
}
