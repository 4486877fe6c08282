import { differs, later, type Mapper } from './vector.ts';

/** Models of capabilities that are not built yet, by their name; and those that a ruling of ours rules out. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = {
  'credit notes': [
    'credit_note_termination',
    'credit_note_estimate',
    'credit_note_rounding_adjust',
    'credit_note_taxes',
    'credit_note_application',
    'proration_credit_cap',
  ],
  coupons: [
    'coupon',
    'coupon_distribution',
    'coupon_stack_and_tax',
    'coupon_stack',
    'discount_distribution_minor_units',
  ],
  taxes: ['fee_taxes', 'invoice_taxes', 'tax_exclusive', 'tax_on_discounted', 'invoice_tax'],
  'grants and wallets': [
    'wallet_credit',
    'wallet_credit_rounds_to_zero',
    'wallet_allocation',
    'wallet_consumption_order',
    'wallet_top_up_rule',
    'wallet_debit',
    'wallet_realtime_balance',
    'credit_allocation',
    'credit_conversion',
    'credit_grant_proration_seconds',
    'grant_burndown',
  ],
  alerts: ['alert_thresholds', 'progressive_threshold', 'progressive_credit', 'threshold_completion'],
};

export const LATER: Readonly<Record<string, Mapper>> = Object.fromEntries(
  Object.entries(CAPABILITIES).flatMap(([capability, models]) => models.map((model) => [model, later(capability)])),
);

export const RULED_OUT: Readonly<Record<string, Mapper>> = {
  invoice_number: () => differs('numbers are gapless per project, given at issue, and name no customer'),
};
