/** What the demo reads of the API's answers: documents as they are on the wire. */
export interface RunDocument {
  readonly id: string;
  readonly status: string;
  readonly report: { readonly [field: string]: unknown } | null;
}

export interface InvoiceDocument {
  readonly id: string;
  readonly customer: string;
  readonly status: string;
  readonly number: string | null;
  readonly currency: string;
  readonly total: string;
  readonly period: { readonly key: string; readonly start: string; readonly end: string; readonly time_zone: string };
  readonly payment: { readonly provider_invoice: string | null; readonly status: string | null } | null;
  readonly lines: readonly LineDocument[];
}

export interface LineDocument {
  readonly key: string;
  readonly description: string;
  readonly subscription: string;
  readonly service_period: { readonly start: string; readonly end: string };
  readonly price_version: string;
  readonly quantity: string;
  readonly unit: string | null;
  readonly allowance_used: string;
  readonly exact_amount: string;
  readonly amount: string;
  readonly steps: readonly {
    readonly label: string;
    readonly quantity: string | null;
    readonly unit_price: string | null;
    readonly flat_amount: string | null;
    readonly fraction: string | null;
    readonly amount: string;
  }[];
}

export interface EventsDocument {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly code: string }[];
}

export interface ListDocument<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}
