/** What a test can make happen to the next requests of an endpoint. */
export type FaultKind =
  | 'drop_before'
  | 'drop_after'
  | 'slow'
  | 'error_before'
  | 'error_stored'
  | 'rate_limit'
  | 'lock_timeout';

export interface Fault {
  /** Method and path pattern, such as `POST /v1/invoices/:id/finalize`. */
  readonly endpoint: string;
  readonly kind: FaultKind;
  /** How many requests it strikes; 1 unless told. */
  readonly times?: number;
  /** How long a `slow` request waits before it is executed, in milliseconds of real time. */
  readonly delayMs?: number;
}

export class Faults {
  readonly #planned: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#planned.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#planned.length = 0;
  }

  /** The fault that strikes this request, if any; it is used up. */
  next(endpoint: string): Fault | undefined {
    const found = this.#planned.find((plan) => plan.left > 0 && plan.fault.endpoint === endpoint);
    if (found) found.left -= 1;
    return found?.fault;
  }
}
