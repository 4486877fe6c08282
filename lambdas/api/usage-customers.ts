import * as z from 'zod';
import { faulty } from '../../core/errors.ts';
import { MAX_COMPARED } from '../../core/usage/compare-usage.ts';
import { externalIdText } from './schemas.ts';

/** Whose usage is asked for: one `customer`, or several to compare. */
export const usageCustomersFields = {
  customer: z
    .union([externalIdText, z.array(externalIdText)])
    .optional()
    .meta({ description: `One customer; repeated (\`customer=a&customer=b\`), at most ${MAX_COMPARED} to compare.` }),
  customers: z
    .string()
    .max(MAX_COMPARED * 256)
    .optional()
    .meta({ description: 'The same as a comma-separated list, for ids without commas.' }),
};

/** The customers named, each once. Throws `query_invalid` for none, for both spellings, and for more than may be compared. */
export function usageCustomers(query: {
  readonly customer?: string | readonly string[] | undefined;
  readonly customers?: string | undefined;
}): readonly string[] {
  const { customer = [], customers = '' } = query;
  const listed = customers.split(',').filter((name) => name !== '');
  const named = [...new Set([...(typeof customer === 'string' ? [customer] : customer), ...listed])];
  const isBoth = query.customer !== undefined && query.customers !== undefined;
  if (!isBoth && named.length > 0 && named.length <= MAX_COMPARED) return named;
  const got = isBoth ? 'both customer and customers' : `${named.length} customers`;
  const detail = `Got ${got}; expected customer once, repeated, or customers as a list: 1 to ${MAX_COMPARED}.`;
  throw faulty('query_invalid', 'The query', [{ field: 'customer', code: 'customers_invalid', detail }]);
}
