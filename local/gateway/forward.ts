import { Agent, type IncomingMessage, request } from 'node:http';
import { type Backend, ServiceError, type ServiceRequest, type ServiceResponse } from './backend.ts';

/**
 * A backend that is another process on this machine: passes requests on over kept connections.
 * Does not repeat a request: whether one whose connection broke took effect is not known, and the caller must hear that.
 */

/** Below the idle time after which the parts close a connection (30 s), so that a kept one is never stale. */
const IDLE_MS = 15_000;
/** Headers between two hops; the rest belongs to the caller and the service. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect', 'content-length']);

export interface ForwardingBackend {
  readonly handle: Backend;
  close(): void;
}

/** Forwards to `origin` (such as `http://127.0.0.1:41234`). The Host header stays the gateway's, so URLs in answers are too. */
export function forwardTo(origin: string): ForwardingBackend {
  const { hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' });
  return {
    handle: (call) => passOn(call, { hostname, port, agent }),
    close: () => agent.destroy(),
  };
}

function passOn(
  call: ServiceRequest,
  target: { hostname: string; port: string; agent: Agent },
): Promise<ServiceResponse> {
  return new Promise((resolve, reject) => {
    const lost = (error: Error) =>
      reject(new ServiceError('InternalServerError', `The local part broke off: ${error.message}`, 500));
    const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => !HOP_HEADERS.has(name)));
    headers['content-length'] = String(call.body.length);
    const outgoing = request({ ...target, method: call.method, path: call.url, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', lost);
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 500, headers: kept(answer), body: Buffer.concat(chunks) }),
      );
    });
    outgoing.once('error', lost);
    outgoing.end(call.body);
  });
}

function kept(answer: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!HOP_HEADERS.has(name) && value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

const ANSWER_WITH_URLS = new Set(['CreateQueue', 'GetQueueUrl', 'ListQueues']);

/** Forwards to fauxqs, which names its queues under a host of its own invention; answers name them under the caller's host. */
export function forwardToSqs(origin: string): ForwardingBackend {
  const { handle, close } = forwardTo(origin);
  return {
    close,
    handle: async (call) => {
      const answer = await handle(call);
      if (!ANSWER_WITH_URLS.has(call.operation)) return answer;
      const text = answer.body.toString().replace(/http:\/\/sqs\.[^/"]*\//g, `http://${call.headers.host}/`);
      return { ...answer, body: text };
    },
  };
}
