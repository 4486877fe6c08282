import { estimateRequestSchema } from '../../core/estimates/estimate-request.ts';
import { wireSchema } from '../../lambdas/api/document/openapi.ts';
import { estimateCalls } from '../estimate-api.ts';
import { CHARGE_OPTIONS } from './examples/charge-options.ts';
import { LEVELS } from './examples/levels.ts';
import { MODELS } from './examples/models.ts';
import { CURRENCIES, PERIODS } from './examples/periods.ts';
import { PLAN_OPTIONS } from './examples/plan-options.ts';
import { REFUSED } from './examples/refused.ts';
import { fieldsText, refusedText, sectionText } from './page.ts';

const INTRODUCTION = `# Pricing

What things cost, and why: every price model, every option, one worked example each. The examples are run through \`POST /v1/estimates\` when this
page is written (\`npm run pricing\`), their totals are worked out by hand beside them, and a test fails when the page, a total or a row is
not what the API answers.

## How an amount comes about

Inside a charge, in this order: the meter's rounding, allowance, envelope, price model, what is below zero (carried), minimum, maximum, discount. Inside an
invoice: the charges, then what a commitment adds, then adjustments of earlier periods.

- Quantities, prices and rates are exact decimals with up to 12 places, as text. There is no binary float anywhere.
- Each line is rounded once, to the minor unit of its currency. The total is the sum of the lines, always.
- Every line explains itself: its rows add up to its exact amount, which is rounded to its amount. An exact amount that no decimal can hold is a fraction,
  such as \`833/30\`.
- An invoice keeps the evidence it was rated from. \`POST /v1/invoices/{id}/verify\` rates it again and compares cent by cent.
- Prices of a contract come before those of the plan, and those before the project's default price list.

`;

const REFUSALS = `## What is refused

Plans are held to their rules when they are written, and estimates by the same rules: all faults at once, each with its path. Nothing about a plan is found out
at the end of the month.

`;

const REQUEST = `## The request of an estimate

The fields of \`POST /v1/plans\` (\`currency\`, \`charges\`, \`interval\`, \`rounding\`, \`proration\`, \`commitment\`, \`envelopes\` ...; \`plan\` and \`name\` may be left out), or \`plan\`
alone for a plan of the project, and:

`;

/** docs/pricing.md. Throws where an example does not come to what was worked out by hand. */
export async function pricingPage(): Promise<string> {
  const call = estimateCalls();
  const sections: string[] = [];
  for (const section of [MODELS, LEVELS, CHARGE_OPTIONS, PLAN_OPTIONS, PERIODS, CURRENCIES]) {
    sections.push(await sectionText(section, call));
  }
  const refused = await refusedText(REFUSED, call);
  const fields = fieldsText(wireSchema(estimateRequestSchema, 'input'));
  return `${INTRODUCTION}${sections.join('\n')}\n${REFUSALS}${refused}\n${REQUEST}${fields}`;
}
