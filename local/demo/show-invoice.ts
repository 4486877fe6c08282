import { textTable } from '../../cli/text-table.ts';
import type { InvoiceDocument, LineDocument } from './api-documents.ts';

type Row = readonly [string, string, string, string];

/** An invoice for the terminal: every line with the rows that explain it, by the plan and the days that it bills. */
export function invoiceTable(invoice: InvoiceDocument): string {
  const { period, currency } = invoice;
  const rows: Row[] = [];
  let part = '';
  for (const line of invoice.lines) {
    const next = partOf(line, period.time_zone);
    if (next !== part) rows.push(['', '', '', ''], [next, '', '', '']);
    part = next;
    rows.push(lineRow(line), ...line.steps.map(stepRow));
  }
  return [
    `Invoice ${invoice.number} to ${invoice.customer} for ${period.key} (${period.time_zone}), ${invoice.status}${providerOf(invoice)}`,
    textTable({
      head: ['line', 'quantity', 'price', currency],
      rows: [...rows.slice(1), ['', '', '', ''], ['Total', '', '', grouped(invoice.total)]],
      aligns: ['left', 'right', 'right', 'right'],
    }),
    'The rows of a line add up to its exact amount, which is rounded once, half away from zero.',
  ].join('\n');
}

function partOf({ service_period, price_version }: LineDocument, timeZone: string): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const last = new Date(Date.parse(service_period.end) - 1);
  return `${day.format(new Date(service_period.start))} to ${day.format(last)}, plan ${price_version}`;
}

function lineRow({ description, quantity, unit, amount }: LineDocument): Row {
  return [`  ${description}`, `${grouped(quantity)}${unit === null ? '' : ` ${unit}`}`, '', grouped(amount)];
}

function stepRow(step: LineDocument['steps'][number]): Row {
  return [`      ${step.label}`, grouped(step.quantity ?? ''), priceOf(step), grouped(step.amount)];
}

function priceOf(step: LineDocument['steps'][number]): string {
  const price = step.unit_price ?? (step.flat_amount === null ? '' : `flat ${step.flat_amount}`);
  return step.fraction === null ? price : `${price} x ${step.fraction}`;
}

const PLACES_SHOWN = 6;

/** `1970907.5` as `1,970,907.5`; a fraction such as `735/31`, and what has more than six places, is cut there: `23.709677…`. */
function grouped(number: string): string {
  const [whole = '', fraction = ''] = decimalOf(number).split('.');
  const thousands = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  if (fraction === '') return thousands;
  const isCut = fraction.length > PLACES_SHOWN;
  return `${thousands}.${fraction.slice(0, PLACES_SHOWN)}${isCut ? '…' : ''}`;
}

/** Fractions stand only for amounts that no decimal ends. */
function decimalOf(number: string): string {
  const [numerator = '', denominator] = number.split('/');
  if (denominator === undefined) return number;
  const isNegative = numerator.startsWith('-');
  const scaled = (BigInt(isNegative ? numerator.slice(1) : numerator) * 10n ** 12n) / BigInt(denominator);
  const digits = String(scaled).padStart(13, '0');
  return `${isNegative ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
}

function providerOf(invoice: InvoiceDocument): string {
  return invoice.payment?.provider_invoice == null ? '' : ` through Stripe as ${invoice.payment.provider_invoice}`;
}
