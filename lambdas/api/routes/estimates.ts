import { type EstimateDeps, estimate } from '../../../core/estimates/estimate.ts';
import { estimateRequestSchema } from '../../../core/estimates/estimate-request.ts';
import { shownEstimate } from '../../../core/estimates/shown-estimate.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { ESTIMATE_EXAMPLES, estimateSchema } from '../document/estimate-schema.ts';
import { type Route, route } from '../route.ts';

export type { EstimateDeps };

const DESCRIPTION = `The rating of a billing run over usage that is made up, or that a customer has had; writes nothing.

What is sold is either written in the request, with the fields of POST /v1/plans (\`currency\` and \`charges\`; \`plan\` and \`name\` may be left out) and \`meters\` if they are not the project's, or it is a plan of the project: \`plan\`, and \`plan_version\` unless it is the newest; or it is what the subscriptions of \`customer\` have, when neither is given.

What was used is \`usage\` (quantities), \`transactions\` (single events, which prices per transaction need), the usage counted for \`customer\`, or all of them together.

When: \`period\`, or \`at\` with the plan's interval; \`service\` is the part of the period that is billed, and prorates what is prorated.

Every fault of the request is answered at once, with its path. docs/pricing.md has a worked request for every model and option.`;

export function estimateRoute(deps: EstimateDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/estimates',
    scope: 'read',
    docs: {
      tag: 'Billing',
      summary: 'What charges would cost',
      description: DESCRIPTION,
      bodyShown: estimateRequestSchema,
      answers: { 200: estimateSchema },
      errors: ['estimate_invalid', 'period_invalid', 'plan_not_found', 'customer_not_found', 'nothing_to_bill'],
      examples: ESTIMATE_EXAMPLES,
    },
    async handle({ project, body }) {
      return jsonAnswer(200, shownEstimate(await estimate({ project, request: body }, deps)));
    },
  });
}
