import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/**
 * An AWS endpoint without sockets: the SDK serializes and signs as always, and its request is answered at once in this
 * thread. What the answering costs is counted apart, so that a measurement can take it off.
 */
export interface WireCall {
  readonly service: 'dynamodb' | 'sqs' | 'events';
  readonly operation: string;
  /** Read from the bytes when it is asked for: the service's work, of which a queue that answers without looking has none. */
  readonly body: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly body: string;
}

interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const SERVICES: Readonly<Record<string, WireCall['service']>> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  AWSEvents: 'events',
};

/** Thread CPU of this thread so far, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

const UTF8 = new TextDecoder();

interface Waiting {
  readonly request: SignedRequest;
  resolve(response: { response: object }): void;
  reject(error: unknown): void;
}

export class InProcessEndpoint {
  readonly #answer: (call: WireCall) => WireAnswer | Promise<WireAnswer>;
  #waiting: Waiting[] = [];
  /** CPU spent answering so far, in microseconds: the service's, not the caller's. */
  answeringMicros = 0;
  /** How often the caller had to wait: calls made at the same time wait together. */
  waits = 0;

  constructor(answer: (call: WireCall) => WireAnswer | Promise<WireAnswer>) {
    this.#answer = answer;
  }

  /** Options for any SDK client that speaks AWS JSON. */
  get clientOptions() {
    const requestHandler = {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: (request: SignedRequest) => this.#handle(request),
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
      destroy: () => undefined,
    };
    return {
      region: 'us-east-1',
      credentials: { accessKeyId: 'BENCH', secretAccessKey: 'bench' },
      maxAttempts: 1,
      requestHandler: requestHandler as unknown as NonNullable<DynamoDBClientConfig['requestHandler']>,
    };
  }

  #handle(request: SignedRequest): Promise<{ response: object }> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#answerAll());
    });
  }

  async #answerAll(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.waits += 1;
    const started = cpuMicros();
    const done: (() => void)[] = [];
    for (const { request, resolve, reject } of waiting) {
      try {
        const response = await this.#respond(request);
        done.push(() => resolve({ response }));
      } catch (error) {
        done.push(() => reject(error));
      }
    }
    this.answeringMicros += cpuMicros() - started;
    for (const tell of done) tell();
  }

  async #respond({ headers, body }: SignedRequest): Promise<object> {
    const [prefix = '', operation = ''] = (headers['x-amz-target'] ?? '').split('.');
    const service = SERVICES[prefix];
    if (service === undefined) throw new Error(`The bench has no service for ${headers['x-amz-target']}.`);
    const call = {
      service,
      operation,
      get body() {
        return typeof body === 'string' ? body : UTF8.decode(body as Uint8Array);
      },
    };
    const answer = await this.#answer(call);
    return {
      statusCode: answer.status,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Buffer.from(answer.body),
    };
  }
}
