import type { Handler } from './call.ts';
import * as customers from './objects/customers.ts';
import * as events from './objects/events.ts';
import * as drafts from './objects/invoice-drafts.ts';
import * as lines from './objects/invoice-lines.ts';
import * as payments from './objects/invoice-payments.ts';
import * as transitions from './objects/invoice-transitions.ts';
import * as methods from './objects/payment-methods.ts';
import type { ParamFields } from './params.ts';

export interface Route {
  /** Method and path pattern: the name of the endpoint for rate limits and faults. */
  readonly endpoint: string;
  readonly params: ParamFields;
  readonly handle: Handler;
}

const ROUTES: readonly Route[] = [
  ['POST /v1/customers', customers.CUSTOMER_CREATE, customers.createCustomer],
  ['GET /v1/customers', customers.CUSTOMER_LIST, customers.listCustomers],
  ['GET /v1/customers/:id', {}, customers.retrieveCustomer],
  ['POST /v1/customers/:id', customers.CUSTOMER_UPDATE, customers.updateCustomer],
  ['DELETE /v1/customers/:id', {}, customers.deleteCustomer],
  ['POST /v1/invoices', drafts.INVOICE_CREATE, drafts.createInvoice],
  ['GET /v1/invoices', drafts.INVOICE_LIST, drafts.listInvoices],
  ['GET /v1/invoices/:id', drafts.INVOICE_RETRIEVE, drafts.retrieveInvoice],
  ['POST /v1/invoices/:id', drafts.INVOICE_UPDATE, drafts.updateInvoice],
  ['DELETE /v1/invoices/:id', {}, drafts.deleteInvoice],
  ['POST /v1/invoices/:id/add_lines', lines.ADD_LINES, lines.addLines],
  ['GET /v1/invoices/:id/lines', lines.LIST_LINES, lines.listLines],
  ['POST /v1/invoices/:id/finalize', transitions.FINALIZE, transitions.finalizeInvoice],
  ['POST /v1/invoices/:id/pay', payments.PAY, payments.payInvoice],
  ['POST /v1/invoices/:id/void', transitions.TRANSITION, transitions.voidInvoice],
  ['POST /v1/invoices/:id/mark_uncollectible', transitions.TRANSITION, transitions.markUncollectible],
  ['POST /v1/invoices/:id/send', transitions.TRANSITION, transitions.sendInvoice],
  ['POST /v1/invoiceitems', lines.ITEM_CREATE, lines.createInvoiceItem],
  ['GET /v1/payment_methods', methods.METHOD_LIST, methods.listMethods],
  ['GET /v1/payment_methods/:id', {}, methods.retrieveMethod],
  ['POST /v1/payment_methods/:id/attach', methods.METHOD_ATTACH, methods.attachMethod],
  ['POST /v1/payment_methods/:id/detach', {}, methods.detachMethod],
  ['GET /v1/payment_intents/:id', payments.INTENT_RETRIEVE, payments.retrieveIntent],
  ['GET /v1/events', events.EVENT_LIST, events.listEvents],
  ['GET /v1/events/:id', {}, events.retrieveEvent],
].map(([endpoint, params, handle]) => ({ endpoint, params, handle }) as Route);

/** Families the double knows of and does not do; they answer 501, everything else unknown 404. */
const NOT_BUILT = [
  'credit_notes',
  'refunds',
  'subscriptions',
  'prices',
  'products',
  'tax_rates',
  'coupons',
  'charges',
  'billing',
  'test_helpers',
  'invoice_payments',
  'customers/search',
  'invoices/search',
  'invoices/create_preview',
  'webhook_endpoints',
];

export interface Match {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

/** The route of a request, `not_built` for a family left out on purpose, or null when Stripe has no such address either. */
export function matchRoute(method: string, path: string): Match | 'not_built' | null {
  if (NOT_BUILT.some((family) => path === `/v1/${family}` || path.startsWith(`/v1/${family}/`))) return 'not_built';
  const steps = path.split('/');
  for (const route of ROUTES) {
    const found = matched(route, method, steps);
    if (found) return { route, path: found };
  }
  return steps[2] === 'invoices' && steps[4] !== undefined ? 'not_built' : null;
}

function matched(route: Route, method: string, steps: readonly string[]): Record<string, string> | null {
  const [routeMethod, pattern = ''] = route.endpoint.split(' ');
  const wanted = pattern.split('/');
  if (routeMethod !== method || wanted.length !== steps.length) return null;
  const ids: Record<string, string> = {};
  for (const [index, step] of wanted.entries()) {
    const given = steps[index] ?? '';
    if (step.startsWith(':')) ids[step.slice(1)] = decodeURIComponent(given);
    else if (step !== given) return null;
  }
  return ids;
}
