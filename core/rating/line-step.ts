import type { LineStep } from '../invoicing/invoice.ts';

/** A row of explanation with every field in place; what is not given is null. */
export function lineStep(row: Pick<LineStep, 'key' | 'label' | 'amount'> & Partial<LineStep>): LineStep {
  return {
    key: row.key,
    label: row.label,
    from: row.from ?? null,
    to: row.to ?? null,
    quantity: row.quantity ?? null,
    unitPrice: row.unitPrice ?? null,
    flatAmount: row.flatAmount ?? null,
    fraction: row.fraction ?? null,
    amount: row.amount,
  };
}
