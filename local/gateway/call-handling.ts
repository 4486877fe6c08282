import type { IncomingHttpHeaders } from 'node:http';
import { type Access, accessesOf, s3Target } from './access.ts';
import { bucketArn } from './arns.ts';
import { type Authorizer, refusalSentence, sessionArn } from './authorizer.ts';
import { type Backend, type Caller, ServiceError, type ServiceName, type ServiceResponse } from './backend.ts';
import { askingForCapacity, type Capacity, capacityOf, type IndexKeys } from './capacity.ts';
import { applyEffects, type Faults, type FaultTarget } from './faults.ts';
import { ADMIN_NAME } from './policies.ts';
import { errorResponse, operationOf } from './protocol.ts';

/**
 * One call of a known caller: what it needs, whether it may, faults on purpose, the service, and the record for the meter.
 * Safe to run any number at once; it keeps nothing between calls.
 */
export interface CallRecord {
  readonly service: ServiceName;
  readonly operation: string;
  readonly principal: string;
  /** The ARN of the first resource that the call touches. */
  readonly resource: string;
  readonly status: number;
  /** In bytes, bodies only. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** How long the local service took, in ms. */
  readonly serviceMs: number;
  /** DynamoDB only, 0 for other services: units that AWS would bill. */
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface IncomingCall {
  readonly service: ServiceName;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly caller: Caller;
}

interface Deps {
  readonly authorizer: Authorizer;
  readonly faults: Faults;
  readonly backends: Partial<Record<ServiceName, Backend>>;
  readonly onCall: ((record: CallRecord) => void) | undefined;
  readonly indexKeys: IndexKeys | undefined;
}

const NO_CAPACITY: Capacity = { readUnits: 0, writeUnits: 0 };

export class CallHandling {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Answers a call. Throws ServiceError when it is refused before it reaches the service, DroppedConnection when told to. */
  async handle(call: IncomingCall): Promise<ServiceResponse> {
    const { service, caller } = call;
    const operation = operationOf(service, call.method, call.url, call.headers);
    const input = speaksJson(service) ? parsed(call.body) : {};
    const known = accessesOf({ service, operation, url: call.url, input });
    if (known === null && caller.name !== ADMIN_NAME) throw unknownAction(call, operation);
    const accesses = known ?? [];
    await this.#allowAll(call, accesses);

    const target: FaultTarget = { service, operation, caller, accesses, input };
    const effects = this.#deps.faults.hitting(target);
    await applyEffects(effects, 'before', target);
    const started = performance.now();
    const answer = await this.#answer(call, operation, input);
    const serviceMs = performance.now() - started;
    this.#report({ call, operation, input, accesses, answer, serviceMs });
    await applyEffects(effects, 'after', target);
    return answer;
  }

  async #allowAll(call: IncomingCall, accesses: readonly Access[]): Promise<void> {
    if (call.caller.name === ADMIN_NAME) return;
    for (const access of accesses) {
      const decision = await this.#deps.authorizer.decide(call.caller, access);
      if (!decision.allowed) throw denied(call.service, refusalSentence(call.caller, access, decision.reason));
    }
  }

  async #answer(
    call: IncomingCall,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<ServiceResponse> {
    const backend = this.#deps.backends[call.service];
    if (backend === undefined) {
      throw new ServiceError('ServiceUnavailable', `The local stack runs no ${call.service}.`, 503);
    }
    const asks = call.service === 'dynamodb' && this.#deps.onCall !== undefined;
    const body = asks ? askingForCapacity(operation, input, call.body) : call.body;
    const { method, url, headers, caller } = call;
    try {
      return await backend({ method, url, headers, body, caller, operation });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      await this.#hideAbsence(call, error);
      return errorResponse(call.service, error, method === 'HEAD');
    }
  }

  /** S3 tells that an object is not there only to those who may list its bucket; to others it says that access is denied. */
  async #hideAbsence(call: IncomingCall, error: ServiceError): Promise<void> {
    if (error.code !== 'NoSuchKey' || call.caller.name === ADMIN_NAME) return;
    const { bucket, key } = s3Target(call.url);
    const list: Access = { action: 's3:ListBucket', resource: bucketArn(bucket), context: { 's3:prefix': key } };
    const decision = await this.#deps.authorizer.decide(call.caller, list);
    if (!decision.allowed) throw denied('s3', refusalSentence(call.caller, list, decision.reason));
  }

  #report(done: {
    call: IncomingCall;
    operation: string;
    input: Readonly<Record<string, unknown>>;
    accesses: readonly Access[];
    answer: ServiceResponse;
    serviceMs: number;
  }): void {
    const { onCall, indexKeys } = this.#deps;
    if (onCall === undefined) return;
    const { call, operation, input, accesses, answer, serviceMs } = done;
    const isDynamoDb = call.service === 'dynamodb';
    const capacity = isDynamoDb
      ? capacityOf(operation, input, { status: answer.status, text: answer.body.toString() }, indexKeys)
      : NO_CAPACITY;
    onCall({
      service: call.service,
      operation,
      principal: call.caller.name,
      resource: accesses[0]?.resource ?? '*',
      status: answer.status,
      requestBytes: call.body.length,
      responseBytes: Buffer.byteLength(answer.body),
      serviceMs,
      ...capacity,
    });
  }
}

function speaksJson(service: ServiceName): boolean {
  return service !== 's3' && service !== 'lambda' && service !== 'scheduler';
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const input: unknown = JSON.parse(body.toString());
    if (typeof input === 'object' && input !== null) return input as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw new ServiceError('SerializationException', 'The body is not a JSON object.');
}

function denied(service: ServiceName, message: string): ServiceError {
  if (service === 's3') return new ServiceError('AccessDenied', message, 403);
  return new ServiceError('AccessDeniedException', message, service === 'sqs' || service === 'lambda' ? 403 : 400);
}

function unknownAction(call: IncomingCall, operation: string): ServiceError {
  const who = sessionArn(call.caller.arn);
  return denied(
    call.service,
    `User: ${who} is not authorized to perform: ${call.service}:${operation} because the local gateway does not know the action`,
  );
}
