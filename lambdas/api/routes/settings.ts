import { type BillingSettings, billingSettingsSchema } from '../../../core/invoicing/billing-settings.ts';
import type { BillingSettingsStore } from '../../../core/invoicing/ports.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';

export interface SettingsDeps {
  readonly settings: BillingSettingsStore;
}

/** How the project bills: read, and replaced whole. */
export function settingsRoutes(deps: SettingsDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/settings',
      scope: 'read',
      docs: {
        tag: 'Billing',
        summary: 'Get how the project bills: numbers, grace, payment term',
        answers: { 200: billingSettingsSchema },
      },
      async handle({ project }) {
        return jsonAnswer(200, await deps.settings.settings(project));
      },
    }),
    route<unknown, BillingSettings>({
      method: 'PUT',
      path: '/v1/settings',
      scope: 'billing',
      body: billingSettingsSchema,
      docs: {
        tag: 'Billing',
        summary: 'Replace how the project bills',
        description:
          'Every field; one that is left out has its default again. Counts for invoices issued from now on; what is issued stays. The numbers of a project are one count whatever stands before it, so another prefix or width goes on with the next number: none is skipped and none given twice. `grace_hours` is how long after the end of a period its rating waits for late usage, `payment_term_days` from issue to due. In a billing run that is under way a part of the invoices may still have the settings before.',
        answers: { 200: billingSettingsSchema },
        example: { number_prefix: 'ACME-26', number_digits: 6, grace_hours: 24, payment_term_days: 30 },
      },
      async handle({ project, body }) {
        await deps.settings.putSettings(project, body);
        return jsonAnswer(200, body);
      },
    }),
  ];
}
