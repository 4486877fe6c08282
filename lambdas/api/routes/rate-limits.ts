import * as z from 'zod';
import { rateLimitSettingsSchema } from '../../../core/limits/rate-limit-schema.ts';
import {
  limitsFor,
  type RateLimitSettings,
  type RateLimitStore,
  type RateLimits,
} from '../../../core/limits/rate-limits.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';

export interface RateLimitDeps {
  readonly rateLimits: RateLimitStore;
  /** What counts where a project has set nothing. */
  readonly defaultRateLimits: RateLimits;
}

const shownSchema = rateLimitSettingsSchema.extend({
  inForce: z.unknown().meta({ description: 'The limits of the project and of a key that has none of its own.' }),
});

/** How much the project and its keys may send: read, and replaced whole. */
export function rateLimitRoutes(deps: RateLimitDeps): readonly Route[] {
  const shown = (settings: RateLimitSettings) => ({
    ...settings,
    inForce: limitsFor(settings, '', deps.defaultRateLimits),
  });
  return [
    route({
      method: 'GET',
      path: '/v1/settings/rate-limits',
      scope: 'read',
      docs: {
        tag: 'Limits',
        summary: 'Get how much the project and its keys may send',
        answers: { 200: shownSchema },
      },
      async handle({ project }) {
        return jsonAnswer(200, shown(await deps.rateLimits.find(project)));
      },
    }),
    route<unknown, RateLimitSettings>({
      method: 'PUT',
      path: '/v1/settings/rate-limits',
      scope: 'admin',
      body: rateLimitSettingsSchema,
      docs: {
        tag: 'Limits',
        summary: 'Replace how much the project and its keys may send',
        description:
          'What is left out is as the deployment has it (`in_force`). `events` counts the events of POST /v1/events, `requests` every other request. A call beyond the limit of its key or of its project is refused with 429 `rate_limited` and Retry-After; nothing of it is taken. Counts within 30 seconds. The burst of events is at least the 1,000 of one request.',
        answers: { 200: shownSchema },
        example: {
          project: { events: { per_second: 5000, burst: 20000 } },
          keys: [{ key: '0123456789ab', requests: { per_second: 10, burst: 20 } }],
        },
      },
      async handle({ project, body }) {
        await deps.rateLimits.put(project, body);
        return jsonAnswer(200, shown(body));
      },
    }),
  ];
}
