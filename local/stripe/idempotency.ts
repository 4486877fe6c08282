import { createHash } from 'node:crypto';
import type { Journal } from './journal.ts';
import { StripeFault } from './stripe-fault.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Remembered extends Answer {
  readonly key: string;
  readonly fingerprint: string;
  readonly at: number;
  readonly requestId: string;
}

/** Keys may be forgotten after a day; the double does so exactly then, which is the earliest a caller must expect. */
const KEPT_SECONDS = 86_400;

/** What Stripe remembers of requests that were executed, by their idempotency key. */
export class IdempotencyLayer {
  readonly #journal: Journal;
  readonly #inFlight = new Set<string>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /**
   * Claims the key for a request that is about to be executed, or gives the answer it had before.
   * Throws 409 while another request holds the key, and 400 when the key was used for something else.
   */
  begin(key: string, request: { method: string; path: string; body: string; now: number }): Answer | null {
    if (key.length > 255) {
      throw new StripeFault(400, {
        type: 'invalid_request_error',
        message: 'Idempotency keys have at most 255 characters.',
      });
    }
    if (this.#inFlight.has(key)) {
      throw new StripeFault(409, {
        type: 'invalid_request_error',
        code: 'idempotency_key_in_use',
        message: 'There is currently another in-progress request using this Idempotency-Key.',
      });
    }
    const known = this.#journal.get<Remembered>('idempotency', key);
    if (known && request.now - known.at < KEPT_SECONDS) {
      if (known.fingerprint !== fingerprintOf(request)) {
        throw new StripeFault(400, {
          type: 'idempotency_error',
          message: `Keys for idempotent requests can only be used with the same parameters and the same endpoint they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        });
      }
      const headers = { ...known.headers, 'Idempotent-Replayed': 'true', 'Original-Request': known.requestId };
      return { status: known.status, body: known.body, headers };
    }
    this.#inFlight.add(key);
    return null;
  }

  /** Keeps the answer; it becomes durable in the same commit as the effects. */
  remember(
    key: string,
    request: { method: string; path: string; body: string; now: number },
    answer: Answer,
    requestId: string,
  ): void {
    const remembered: Remembered = { ...answer, key, fingerprint: fingerprintOf(request), at: request.now, requestId };
    this.#journal.put('idempotency', key, remembered);
  }

  end(key: string): void {
    this.#inFlight.delete(key);
  }
}

function fingerprintOf(request: { method: string; path: string; body: string }): string {
  return createHash('sha256').update(`${request.method} ${request.path}\n${request.body}`).digest('hex');
}
