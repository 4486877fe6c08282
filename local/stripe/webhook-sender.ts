import { createHmac } from 'node:crypto';
import type { Journal } from './journal.ts';
import type { StripeEvent } from './objects/events.ts';

export interface WebhookEndpoint {
  readonly url: string;
  /** One signing secret, or two while one is being rolled. */
  readonly secrets: readonly string[];
}

export interface DeliveryHabits {
  /** How often each event is delivered; 1 unless told. */
  readonly duplicate?: number;
  /** Deliver what is waiting newest first. */
  readonly reorder?: boolean;
  /** How long after the event the first delivery is made, in milliseconds of the injected clock. */
  readonly delayMs?: number;
}

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly tries: number;
  readonly dueAt: number;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 3_600_000;
const GIVE_UP_MS = 3 * 86_400_000;
const ANSWER_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

/** `Stripe-Signature` of a body: the time in seconds and one v1 signature per secret. */
export function signatureHeader(body: string, secrets: readonly string[], seconds: number): string {
  const signatures = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`,
  );
  return [`t=${seconds}`, ...signatures].join(',');
}

/** Delivers events at least once, in no promised order; what is not yet delivered survives a restart in the journal. */
export class WebhookSender {
  readonly #journal: Journal;
  readonly #now: () => number;
  readonly #endpoint: () => WebhookEndpoint | undefined;
  #habits: DeliveryHabits = {};
  #isHeld = false;
  #running: Promise<void> | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor(journal: Journal, now: () => number, endpoint: () => WebhookEndpoint | undefined) {
    this.#journal = journal;
    this.#now = now;
    this.#endpoint = endpoint;
    this.#timer = setInterval(() => void this.pump(), POLL_MS);
    this.#timer.unref();
  }

  /** Plans the deliveries of an event inside the request's own changes. */
  plan(event: StripeEvent): void {
    for (let copy = 0; copy < (this.#habits.duplicate ?? 1); copy += 1) {
      const id = `${event.id}.${copy}`;
      const delivery: Delivery = { id, event: event.id, tries: 0, dueAt: this.#now() + (this.#habits.delayMs ?? 0) };
      this.#journal.put('delivery', id, delivery);
    }
  }

  set(habits: DeliveryHabits): void {
    this.#habits = habits;
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** How many deliveries are still to be made or tried again. */
  waiting(): number {
    return this.#journal.all('delivery').length;
  }

  /** Delivers everything that is due now; one run at a time. */
  pump(): Promise<void> {
    if (this.#isHeld || this.#endpoint() === undefined) return Promise.resolve();
    this.#running ??= this.#deliverDue().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isHeld = true;
    await this.#running;
  }

  async #deliverDue(): Promise<void> {
    const now = this.#now();
    const due = this.#journal.all<Delivery>('delivery', (one) => one.dueAt <= now);
    if (this.#habits.reorder) due.reverse();
    for (const delivery of due) {
      const endpoint = this.#endpoint();
      if (this.#isHeld || endpoint === undefined) return;
      await this.#deliver(delivery, endpoint);
    }
  }

  async #deliver(delivery: Delivery, endpoint: WebhookEndpoint): Promise<void> {
    const event = this.#journal.get<StripeEvent>('event', delivery.event);
    const isDone = event === undefined || (await this.#post(event, endpoint));
    const now = this.#now();
    const ageMs = event === undefined ? 0 : now - event.created * 1000;
    if (isDone || ageMs > GIVE_UP_MS) this.#journal.remove('delivery', delivery.id);
    else {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** delivery.tries, LONGEST_RETRY_MS);
      this.#journal.put('delivery', delivery.id, { ...delivery, tries: delivery.tries + 1, dueAt: now + wait });
    }
    if (isDone && event) this.#journal.put('event', event.id, { ...event, pending_webhooks: 0 });
    this.#journal.commit();
  }

  async #post(event: StripeEvent, endpoint: WebhookEndpoint): Promise<boolean> {
    const body = JSON.stringify({ ...event, pending_webhooks: 1 }, null, 2);
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      'stripe-signature': signatureHeader(body, endpoint.secrets, Math.floor(this.#now() / 1000)),
    };
    try {
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const answer = await fetch(endpoint.url, { method: 'POST', headers, body, signal });
      await answer.arrayBuffer();
      return answer.status >= 200 && answer.status < 300;
    } catch {
      return false;
    }
  }
}
