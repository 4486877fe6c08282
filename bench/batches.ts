/**
 * How an event source mapping gathers messages into invocations: `lanes` batches at a time, a message goes to any of them; a
 * batch is invoked when its window ends, or when it is full by count or by the payload of an invocation.
 */
export interface Batching {
  readonly lanes: number;
  readonly windowMillis: number;
  readonly maxMessages: number;
}

export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
}

export interface Batch {
  readonly lane: number;
  readonly atMillis: number;
  readonly messages: readonly QueuedMessage[];
}

/** Bytes of an invocation's payload, and what the mapping writes beside each message's body. */
const PAYLOAD_BYTES = 6_000_000;
const ENVELOPE_BYTES = 750;

interface OpenBatch {
  readonly since: number;
  readonly messages: QueuedMessage[];
  bytes: number;
}

export class Batches {
  readonly #open = new Map<number, OpenBatch>();
  readonly #batching: Batching;
  readonly #random: () => number;

  constructor(batching: Batching, random: () => number) {
    this.#batching = batching;
    this.#random = random;
  }

  /** Takes a message that arrives now; answers with the batch that it made full, if it did. */
  add(message: QueuedMessage, atMillis: number): Batch[] {
    const lane = Math.floor(this.#random() * this.#batching.lanes);
    const size = Buffer.byteLength(message.body) + ENVELOPE_BYTES;
    const full = (this.#open.get(lane)?.bytes ?? 0) + size > PAYLOAD_BYTES ? this.#close(lane, atMillis) : [];
    const open = this.#open.get(lane) ?? { since: atMillis, messages: [], bytes: 0 };
    open.messages.push(message);
    open.bytes += size;
    this.#open.set(lane, open);
    return open.messages.length >= this.#batching.maxMessages ? [...full, ...this.#close(lane, atMillis)] : full;
  }

  /** The batches whose window has ended by now. */
  due(atMillis: number): Batch[] {
    const { windowMillis } = this.#batching;
    return [...this.#open]
      .filter(([, { since }]) => atMillis >= since + windowMillis)
      .flatMap(([lane, { since }]) => this.#close(lane, since + windowMillis))
      .sort((a, b) => a.atMillis - b.atMillis);
  }

  #close(lane: number, atMillis: number): Batch[] {
    const open = this.#open.get(lane);
    this.#open.delete(lane);
    return open === undefined ? [] : [{ lane, atMillis, messages: open.messages }];
  }
}
