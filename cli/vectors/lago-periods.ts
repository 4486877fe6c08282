import type { EstimateAnswer } from '../estimate-api.ts';
import { cents, major, minus, onlyLine, times } from './amounts.ts';
import { dateOf, dayBefore, lastDays, midnight } from './periods.ts';
import { fee, feeRequest, type Part, perUnit, quantityRequest } from './requests.ts';
import { type Mapper, member, type Reproduction, type Treatment, text, textOrNull, texts } from './vector.ts';

/** Lago's amounts of a period: fees, minimums and commitments, whole and in part; and where periods begin. */
const subscriptionProration: Mapper = ({ properties, usage }) => {
  const days = text(usage, 'billedDays');
  const request = lastDays(days, text(usage, 'periodDays'));
  return {
    kind: 'reproduced',
    ...(days === '0' && { option: '`share: none`: a trial longer than the period' }),
    requests: [feeRequest(major(text(properties, 'planAmountCents')), { request })],
    read: ([answer]) => ({ amountCents: answer && cents(answer.total) }),
  };
};

const fixedCharge: Mapper = ({ properties, usage }) => {
  const isProrated = member(properties, 'prorated') === true;
  const amount = times(text(properties, 'unitAmount'), text(usage, 'units'));
  const span = lastDays(text(usage, 'days'), text(usage, 'periodDays'));
  return {
    kind: 'reproduced',
    ...(!isProrated && { option: '`share: whole`' }),
    requests: [feeRequest(amount, { request: { ...span, ...(!isProrated && { share: 'whole' }) } })],
    read: ([answer]) => ({ amountCents: answer && cents(answer.total) }),
  };
};

const trueUpOf = ({ lines }: EstimateAnswer) =>
  cents(lines.find(({ key }) => key.endsWith('/commitment/true-up'))?.amount ?? '0');

function committed(amountCents: string, more: Part): Reproduction {
  const commitment = { amount: major(amountCents), term: 'period', true_up: true };
  return {
    kind: 'reproduced',
    requests: [{ currency: 'USD', charges: [fee('0')], commitment, ...more }],
    read: ([answer]) => ({ amountCents: answer && trueUpOf(answer) }),
  };
}

const commitmentProration: Mapper = ({ properties, usage }) =>
  committed(text(properties, 'commitmentCents'), lastDays(text(usage, 'days'), text(usage, 'periodDays')));

const commitmentTrueUp: Mapper = ({ properties, usage }) => {
  const fees = texts(usage, 'feesCents').map((amount, index) => fee(major(amount), { key: `fee-${index}` }));
  return committed(text(properties, 'commitmentCents'), fees.length === 0 ? {} : { charges: fees });
};

/** What the minimum adds to the usage: the line of both less what the usage alone comes to, each rounded once. */
const chargeMinimum: Mapper = ({ properties, usage }) => {
  const span = lastDays(text(usage, 'days'), text(usage, 'periodDays'));
  const rate = textOrNull(properties, 'conversionRate');
  const request = { ...span, ...(rate !== null && { conversion: { currency: 'EUR', rate } }) };
  const minimum = major(text(properties, 'minAmountCents'));
  const used = text(usage, 'usedCents');
  return {
    kind: 'reproduced',
    option: rate === null ? '`minimum` of the charge' : '`minimum` of the charge, `conversion`',
    requests: [
      quantityRequest(perUnit('0.01'), used, { charge: { minimum }, request }),
      quantityRequest(perUnit('0.01'), used, { request }),
    ],
    read: ([both, alone]) => ({
      amountCents: both && alone && cents(minus(onlyLine(both).amount, onlyLine(alone).amount)),
    }),
  };
};

/** In advance, the period billed on a day is the one that begins then; in arrears the one that ended before. */
const billingPeriod: Mapper = ({ properties, usage }): Treatment => {
  const isInAdvance = member(properties, 'payInAdvance') === true;
  const billedOn = text(usage, 'billingAt');
  const at = midnight(isInAdvance ? billedOn : dayBefore(billedOn));
  return {
    kind: 'reproduced',
    option: '`anchor`',
    requests: [feeRequest('1', { request: { at, anchor: midnight(text(usage, 'subscribedAt')) } })],
    read: ([answer]) => ({
      from: answer && dateOf(answer.period.start),
      // the last day of the period, where ours ends before the next one begins
      to: answer && dayBefore(dateOf(answer.period.end)),
    }),
  };
};

export const LAGO_PERIODS: Readonly<Record<string, Mapper>> = {
  subscription_proration: subscriptionProration,
  fixed_charge: fixedCharge,
  commitment_proration: commitmentProration,
  commitment_true_up: commitmentTrueUp,
  charge_minimum_true_up: chargeMinimum,
  billing_period: billingPeriod,
};
