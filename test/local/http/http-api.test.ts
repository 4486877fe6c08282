import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../local/http/http-api.ts';
import { matchRoute } from '../../../local/http/route-matching.ts';
import { Throttle } from '../../../local/http/throttle.ts';
import type { Outcome } from '../../../local/lambda/environment.ts';
import type { HttpApiModel, InvokePermissionModel, RouteModel } from '../../../local/template/model.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
const LOCKED = 'arn:aws:lambda:us-east-1:000000000000:function:locked';
const NOW = Date.UTC(2026, 10, 21, 3, 29, 15);

const route = (routeKey: string, functionArn = FUNCTION, timeoutMillis = 30_000): RouteModel => {
  const [method = '', path = ''] = routeKey.split(' ');
  return { routeKey, method, path, functionArn, timeoutMillis };
};
const api: HttpApiModel = {
  id: 'abc123',
  name: 'small',
  executeArn: 'arn:aws:execute-api:us-east-1:000000000000:abc123',
  stage: '$default',
  routes: [
    route('POST /v1/events'),
    route('ANY /v1/{proxy+}'),
    route('POST /hooks/{project}'),
    route('GET /locked', LOCKED),
    route('GET /slow', FUNCTION, 50),
  ],
  throttle: { ratePerSecond: 1_000, burst: 1_000 },
  routeThrottles: { 'GET /locked': { ratePerSecond: 0.001, burst: 2 } },
  cors: {
    origins: ['http://localhost:5173'],
    methods: ['POST', 'GET'],
    headers: ['authorization'],
    exposed: ['x-total'],
    maxAgeSeconds: 600,
    allowsCredentials: false,
  },
};
const permissions: InvokePermissionModel[] = [
  {
    functionArn: FUNCTION,
    principal: 'apigateway.amazonaws.com',
    action: 'lambda:InvokeFunction',
    sourceArn: `${api.executeArn}/*/*/*`,
    sourceAccount: undefined,
  },
];
const problems: string[] = [];
let answer: (event: Record<string, unknown>) => unknown = (event) => ({ statusCode: 200, body: JSON.stringify(event) });
let front: HttpApi;

beforeAll(async () => {
  front = await startHttpApi({
    api,
    permissions,
    now: () => NOW,
    port: 0,
    onProblem: (problem) => problems.push(problem),
    invoke: async (_, payload): Promise<Outcome> => {
      const event = JSON.parse(payload) as Record<string, unknown>;
      if (event.rawPath === '/slow') await new Promise((resolve) => setTimeout(resolve, 300));
      return { kind: 'ok', payload: JSON.stringify(answer(event)) ?? 'null', cpuMicros: 0 };
    },
  });
});
afterAll(() => front.stop());

const echoed = async (path: string, init?: RequestInit) =>
  (await (await fetch(front.url + path, init)).json()) as Record<string, unknown>;

test('a request becomes a payload of format 2.0', async () => {
  const event = await echoed('/v1/usage/caf%C3%A9?meter=a&meter=b&empty=', {
    headers: { 'X-Api-Key': 'k', cookie: 'a=1; b=2' },
  });
  expect(event).toMatchObject({
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath: '/v1/usage/café',
    rawQueryString: 'meter=a&meter=b&empty=',
    queryStringParameters: { meter: 'a,b', empty: '' },
    pathParameters: { proxy: 'usage/café' },
    cookies: ['a=1', 'b=2'],
    headers: { 'x-api-key': 'k' },
    isBase64Encoded: false,
    requestContext: {
      apiId: 'abc123',
      stage: '$default',
      timeEpoch: NOW,
      time: '21/Nov/2026:03:29:15 +0000',
      http: { method: 'GET', path: '/v1/usage/café', protocol: 'HTTP/1.1' },
    },
  });
  expect(event.body).toBeUndefined();
  expect(event.headers).not.toHaveProperty('cookie');
});

test('only text, JSON, XML and JavaScript bodies arrive as text', async () => {
  const isBase64 = async (type: string | undefined, body: string | Uint8Array<ArrayBuffer>) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    return (await echoed('/v1/events', { method: 'POST', headers, body })).isBase64Encoded;
  };
  expect(await isBase64('application/json; charset=utf-8', '{}')).toBe(false);
  expect(await isBase64('text/csv', 'a,b')).toBe(false);
  expect(await isBase64('application/xml', '<a/>')).toBe(false);
  expect(await isBase64('application/cloudevents+json', '{}')).toBe(true);
  expect(await isBase64('application/x-www-form-urlencoded', 'a=1')).toBe(true);
  expect(await isBase64(undefined, new Uint8Array([123, 125]))).toBe(true);
  expect(await isBase64('application/json', gzipSync('{}'))).toBe(true);
});

test('status, headers, cookies and binary bodies of the answer come through', async () => {
  answer = () => ({
    statusCode: 202,
    headers: { 'X-Total': 3, 'content-type': 'application/octet-stream' },
    cookies: ['a=1', 'b=2'],
    isBase64Encoded: true,
    body: Buffer.from([0, 255, 1]).toString('base64'),
  });
  const response = await fetch(`${front.url}/v1/x`);
  expect(response.status).toBe(202);
  expect(response.headers.get('x-total')).toBe('3');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 1]);
  answer = (event) => ({ statusCode: 200, body: JSON.stringify(event) });
});

test('an answer without a status is the body; one that API Gateway cannot read is a 500', async () => {
  answer = () => ({ hello: 1 });
  const plain = await fetch(`${front.url}/v1/x`);
  expect([plain.status, plain.headers.get('content-type'), await plain.text()]).toEqual([
    200,
    'application/json',
    '{"hello":1}',
  ]);
  answer = () => ({ statusCode: 'soon' });
  expect((await fetch(`${front.url}/v1/x`)).status).toBe(500);
  answer = (event) => ({ statusCode: 200, body: JSON.stringify(event) });
});

test('a path without a route is 404 in the words of API Gateway', async () => {
  const response = await fetch(`${front.url}/nowhere`);
  expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
});

test('a route whose function gives API Gateway no permission is a 500, and the reason is told', async () => {
  expect((await fetch(`${front.url}/locked`)).status).toBe(500);
  expect(problems.at(-1)).toContain('no permission lets API Gateway invoke');
});

test('a request over the throttle of its route is a 429', async () => {
  await fetch(`${front.url}/locked`);
  expect((await fetch(`${front.url}/locked`)).status).toBe(429);
});

test('an integration that takes too long is a 503', async () => {
  expect((await fetch(`${front.url}/slow`)).status).toBe(503);
});

test('a body over 10 MB is a 413', async () => {
  const body = new Uint8Array(10 * 1024 * 1024 + 1);
  const response = await fetch(`${front.url}/v1/events`, { method: 'POST', body }).catch(() => undefined);
  // The connection is closed on the sender; a client that is still writing may see only that.
  expect(response?.status ?? 413).toBe(413);
});

test('a preflight is answered by the API itself, for allowed origins only', async () => {
  const preflight = (origin: string) =>
    fetch(`${front.url}/v1/events`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'Authorization' },
    });
  const allowed = await preflight('http://localhost:5173');
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  expect(allowed.headers.get('access-control-max-age')).toBe('600');
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
});

test('CORS headers of the function are replaced by those of the template', async () => {
  answer = () => ({ statusCode: 200, headers: { 'access-control-allow-origin': '*' }, body: '' });
  const foreign = await fetch(`${front.url}/v1/x`, { headers: { origin: 'https://evil.example' } });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  answer = (event) => ({ statusCode: 200, body: JSON.stringify(event) });
});

test('the most specific route wins, and a named method wins over ANY', () => {
  expect(matchRoute(api.routes, 'POST', '/v1/events')?.route.routeKey).toBe('POST /v1/events');
  expect(matchRoute(api.routes, 'GET', '/v1/events')?.route.routeKey).toBe('ANY /v1/{proxy+}');
  expect(matchRoute(api.routes, 'POST', '/hooks/prj_1')?.pathParameters).toEqual({ project: 'prj_1' });
  expect(matchRoute(api.routes, 'POST', '/hooks/prj_1/more')).toBeUndefined();
  expect(matchRoute(api.routes, 'GET', '/v1')).toBeUndefined();
});

test('a token bucket gives its burst at once and then its rate', () => {
  let now = 0;
  const throttle = new Throttle({ ratePerSecond: 2, burst: 3 }, () => now);
  expect([1, 2, 3, 4].map(() => throttle.admits())).toEqual([true, true, true, false]);
  now = 499;
  expect(throttle.admits()).toBe(false);
  now = 1_000;
  expect([1, 2, 3].map(() => throttle.admits())).toEqual([true, true, false]);
});
