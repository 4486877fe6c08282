import * as z from 'zod';
import { invalid } from '../../core/errors.ts';
import { type BillingRunId, type InvoiceId, parseProjectId } from '../../core/ids.ts';
import type { ManifestRow } from '../../core/invoicing/billing-run.ts';
import { INVOICE_PURPOSES } from '../../core/invoicing/invoice.ts';
import { instantSchema } from '../../core/time/instant-schema.ts';

/** What the states of the billing workflow hand to their functions (statemachines/README.md). */
const runSchema = z.object({
  project_id: z.string(),
  run_id: z.string().min(1),
  as_of: instantSchema,
});

const rowSchema = z.object({
  account: z.string(),
  customer: z.string(),
  currency: z.string(),
  periods: z.array(
    z.object({
      purpose: z.enum(INVOICE_PURPOSES),
      key: z.string(),
      start: instantSchema,
      end: instantSchema,
      ordinal: z.int().min(1),
      invoice_id: z.string(),
    }),
  ),
  invoice_ids: z.array(z.string()),
  open_ids: z.array(z.string()),
});

const stepSchema = runSchema.extend({ cursor: z.string().nullable() });
const manifestSchema = runSchema.extend({ through: z.string().nullable(), reason: z.string() });
const batchSchema = runSchema.extend({ items: z.array(rowSchema) });
const finishSchema = runSchema.extend({ failed: z.boolean(), error: z.unknown().optional() });

/** A defect of the workflow, not of a caller: it fails the run, with the field. */
function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid('run_input_invalid', `The workflow passed ${issue?.path.join('.') ?? 'nothing'}: ${issue?.message}`);
}

function runOf(input: z.output<typeof runSchema>) {
  return { project: parseProjectId(input.project_id), run: input.run_id as BillingRunId, asOf: input.as_of };
}

export function readStepInput(input: unknown) {
  const known = read(stepSchema, input);
  return { ...runOf(known), cursor: known.cursor };
}

export function readManifestInput(input: unknown) {
  const known = read(manifestSchema, input);
  return { ...runOf(known), through: known.through };
}

export function readBatchInput(input: unknown) {
  const known = read(batchSchema, input);
  return { ...runOf(known), rows: known.items.map(rowOf) };
}

export function readFinishInput(input: unknown) {
  const known = read(finishSchema, input);
  return { ...runOf(known), error: known.failed ? errorText(known.error) : null };
}

function rowOf({ periods, invoice_ids, open_ids, ...row }: z.output<typeof rowSchema>): ManifestRow {
  return {
    ...row,
    periods: periods.map(({ invoice_id, ...period }) => ({ ...period, invoiceId: invoice_id as InvoiceId })),
    invoiceIds: invoice_ids as InvoiceId[],
    openIds: open_ids as InvoiceId[],
  };
}

/** Step Functions' error output: a name, and as its cause the function's error as JSON text. */
function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'The run stopped without saying why.';
  const name = 'Error' in error ? String(error.Error) : 'Error';
  const cause = 'Cause' in error ? String(error.Cause) : '';
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: string };
    return `${name}: ${errorMessage ?? cause}`.slice(0, 1_000);
  } catch {
    return `${name}: ${cause}`.slice(0, 1_000);
  }
}
