/** An answer other than 2xx in Stripe's shape. `keepEffects`: what the request wrote stays (a declined payment is a fact). */
export class StripeFault extends Error {
  readonly status: number;
  readonly body: StripeErrorBody;
  readonly headers: Readonly<Record<string, string>>;
  readonly keepEffects: boolean;

  constructor(
    status: number,
    body: StripeErrorBody,
    options: { headers?: Record<string, string>; keepEffects?: boolean } = {},
  ) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.headers = options.headers ?? {};
    this.keepEffects = options.keepEffects ?? false;
  }
}

export interface StripeErrorBody {
  readonly type: 'invalid_request_error' | 'card_error' | 'api_error' | 'idempotency_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly payment_intent?: unknown;
  readonly payment_method?: unknown;
}

export function refused(message: string, code?: string, param?: string): StripeFault {
  return new StripeFault(400, {
    type: 'invalid_request_error',
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

export function missing(kind: string, id: string, param = 'id'): StripeFault {
  return new StripeFault(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param,
  });
}

export function notBuilt(what: string): StripeFault {
  return new StripeFault(501, {
    type: 'api_error',
    message: `The local Stripe double does not do ${what} yet; use a test-mode key with the real Stripe, or build it in local/stripe.`,
  });
}
