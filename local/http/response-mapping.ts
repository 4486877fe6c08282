/** What an HTTP API makes of a function's answer (payload format 2.0). */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; a list is sent as so many header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** An answer of API Gateway itself. */
export function gatewayAnswer(status: number, message: string): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ message })) };
}

interface FunctionAnswer {
  readonly statusCode?: unknown;
  readonly headers?: unknown;
  readonly cookies?: unknown;
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
}

/** `payload` is the JSON text the handler returned. A shape API Gateway refuses becomes its 500. */
export function mapResponse(payload: string): HttpAnswer {
  const broken = gatewayAnswer(500, 'Internal Server Error');
  const value = JSON.parse(payload) as unknown;
  if (typeof value !== 'object' || value === null || !('statusCode' in value)) {
    // An answer without a status is the body itself.
    const body = typeof value === 'string' ? value : payload;
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
  }
  const answer = value as FunctionAnswer;
  const status = Number(answer.statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return broken;
  const headers: Record<string, string | readonly string[]> = { 'content-type': 'text/plain;charset=UTF-8' };
  for (const [name, header] of Object.entries((answer.headers ?? {}) as Record<string, unknown>)) {
    if (typeof header === 'object' && header !== null) return broken;
    if (header != null) headers[name.toLowerCase()] = String(header);
  }
  if (Array.isArray(answer.cookies) && answer.cookies.length > 0) headers['set-cookie'] = answer.cookies.map(String);
  if (answer.body != null && typeof answer.body !== 'string') return broken;
  const body = Buffer.from(answer.body ?? '', answer.isBase64Encoded === true ? 'base64' : 'utf8');
  return { status, headers, body };
}
