import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Access } from './access.ts';
import { roleArn } from './arns.ts';
import { Authorizer, type Decision, type UnusedGrant } from './authorizer.ts';
import { type Backend, type Caller, ServiceError, type ServiceName, type ServiceResponse } from './backend.ts';
import { CallHandling, type CallRecord } from './call-handling.ts';
import type { IndexKeys } from './capacity.ts';
import { DroppedConnection, type FaultRule, Faults, type InjectedFault } from './faults.ts';
import { ADMIN_NAME, type PolicyDocument, type Principal } from './policies.ts';
import { addressOf, errorResponse, isService } from './protocol.ts';

/**
 * The one endpoint behind AWS_ENDPOINT_URL: an HTTP server on 127.0.0.1 that knows each caller by its access key, allows
 * what the caller's synthesized policies allow, and passes the call to the local part of its service.
 *
 * Owns: the server, who is calling, refusing who is not known. call-handling.ts owns what happens to a known caller's call.
 * Does not own: signatures (an access key is the caller's name here, no secret), the services, triggers that are not
 * HTTP calls (their owner asks `authorize`).
 */
export interface GatewayOptions {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly backends: Partial<Record<ServiceName, Backend>>;
  /** Policies that hang on a resource, by its ARN (for S3 the bucket's); see `policiesByResource`. */
  readonly resourcePolicies?: ReadonlyMap<string, PolicyDocument>;
  /** Told about every call that reached an answer, in the order of the answers. */
  readonly onCall?: (record: CallRecord) => void;
  /** What the meter needs to know of the tables to count the index writes of transactions. */
  readonly indexKeys?: IndexKeys;
  /** 0 or nothing: a port the system chooses. */
  readonly port?: number;
}

export interface Gateway {
  /** Such as `http://127.0.0.1:41236`. */
  readonly url: string;
  readonly port: number;
  /** Takes in a principal under its access key; one of the same name is replaced. */
  addPrincipal(accessKeyId: string, principal: Principal): void;
  setBackend(service: ServiceName, backend: Backend): void;
  /** Asks for a caller that makes no HTTP call, such as a schedule's role; recorded as used like any call. */
  authorize(accessKeyId: string, access: Access): Promise<Decision>;
  /** Asks for an AWS service that acts by itself, such as `apigateway.amazonaws.com`: the resource's policy decides. */
  authorizeService(service: string, access: Access): Promise<Decision>;
  /** What each principal was allowed to do so far, by principal name. The local administrator is not recorded. */
  usedActions(): Record<string, readonly Access[]>;
  /** Every granted action that nothing used so far. */
  unusedGrants(): UnusedGrant[];
  inject(rule: FaultRule): InjectedFault;
  close(): Promise<void>;
}

/** The access key of the local runner itself: allowed everything, not recorded as a use. */
export const ADMIN_ACCESS_KEY_ID = 'LOCALADMIN';
export const ADMIN: Caller = { name: ADMIN_NAME, arn: roleArn(ADMIN_NAME) };

/** Starts the gateway and resolves once it listens. Throws when a policy cannot be simulated truly. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const authorizer = new Authorizer(options.resourcePolicies);
  const faults = new Faults();
  const callers = new Map<string, Caller>([[ADMIN_ACCESS_KEY_ID, ADMIN]]);
  const backends = { ...options.backends };
  const handling = new CallHandling({
    authorizer,
    faults,
    backends,
    onCall: options.onCall,
    indexKeys: options.indexKeys,
  });

  const addPrincipal = (accessKeyId: string, principal: Principal) => {
    authorizer.add(principal);
    callers.set(accessKeyId, principal);
  };
  for (const [accessKeyId, principal] of options.principals) addPrincipal(accessKeyId, principal);

  const server = createServer((request, response) => void serve(request, response, callers, handling));
  const port = await listenLocally(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    addPrincipal,
    setBackend: (service, backend) => {
      backends[service] = backend;
    },
    authorize: async (accessKeyId, access) => {
      const caller = callers.get(accessKeyId);
      if (caller === undefined) return { allowed: false, reason: 'because the access key is not known' };
      return caller === ADMIN ? { allowed: true, reason: '' } : authorizer.decide(caller, access);
    },
    authorizeService: (service, access) => authorizer.decideService(service, access),
    usedActions: () => authorizer.usedActions(),
    unusedGrants: () => authorizer.unusedGrants(),
    inject: (rule) => faults.inject(rule),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listenLocally(server: Server, port: number): Promise<number> {
  // Callers keep their connections for as long as they live; no timer closes one under a request.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  callers: ReadonlyMap<string, Caller>,
  handling: CallHandling,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const { service, accessKeyId } = addressOf(headers, url);
  let answer: ServiceResponse;
  try {
    const body = await bodyOf(request);
    const caller = callers.get(accessKeyId ?? '');
    if (service === null || accessKeyId === null) throw unsigned(headers['x-amz-target'] !== undefined);
    if (caller === undefined) throw unknownCaller(service);
    if (!isService(service)) {
      throw new ServiceError('UnknownOperationException', `The local stack has no service ${service}.`);
    }
    answer = await handling.handle({ service, method, url, headers, body, caller });
  } catch (error) {
    // A caller that went away in the middle (a killed worker) needs no answer.
    const isGone = response.destroyed || request.socket.destroyed;
    if (error instanceof DroppedConnection || isGone) return void request.socket.destroy();
    answer = errorResponse(
      service ?? (headers['x-amz-target'] ? 'unsigned' : null),
      asServiceError(error),
      method === 'HEAD',
    );
  }
  const length = Buffer.byteLength(answer.body);
  // A HEAD answer has the length of the object that it describes, and no body.
  const described = method === 'HEAD' ? {} : { 'content-length': String(length) };
  response.writeHead(answer.status, { ...answer.headers, ...described });
  response.end(answer.body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function unsigned(isJson: boolean): ServiceError {
  return isJson
    ? new ServiceError('MissingAuthenticationTokenException', 'Request is missing Authentication Token')
    : new ServiceError('AccessDenied', 'Access Denied', 403);
}

function unknownCaller(service: string): ServiceError {
  if (service === 's3') {
    const message = 'The AWS Access Key Id you provided does not exist in our records.';
    return new ServiceError('InvalidAccessKeyId', message, 403);
  }
  const code = service === 'sqs' ? 'InvalidClientTokenId' : 'UnrecognizedClientException';
  return new ServiceError(
    code,
    'The security token included in the request is invalid.',
    service === 'dynamodb' ? 400 : 403,
  );
}

/** A defect of a local part must not look like a service's answer that a caller could handle: it is a server error, and printed. */
function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  console.error('A local part failed:', error);
  return new ServiceError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
}
