import * as z from 'zod';
import { type ApiKeyDeps, revokeApiKey, rotateApiKey } from '../../../core/accounts/create-api-key.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { type Route, route } from '../route.ts';
import { createdAnswer, createdBody, keyAnswer, shownKey, withoutKey } from '../shown-key.ts';

export function keyChangeRoutes(deps: ApiKeyDeps): readonly Route[] {
  return [revoke(deps), rotate(deps)];
}

function revoke(deps: ApiKeyDeps): Route {
  return route({
    method: 'POST',
    path: '/v1/keys/{id}/revoke',
    scope: 'admin',
    docs: {
      tag: 'Keys',
      summary: 'Revoke an API key, for good',
      description:
        'A worker that has just verified the key may take it for up to 30 s more. Repeating it changes nothing.',
      answers: { 200: keyAnswer },
      errors: ['api_key_not_found'],
    },
    async handle({ project, params }) {
      return jsonAnswer(200, shownKey(await revokeApiKey({ project, id: params.id ?? '' }, deps)));
    },
  });
}

function rotate(deps: ApiKeyDeps): Route {
  const body = z.strictObject({ overlapHours: z.int().min(0).max(720).default(24) });
  return route({
    method: 'POST',
    path: '/v1/keys/{id}/rotate',
    scope: 'admin',
    isCreating: true,
    kept: withoutKey,
    body,
    docs: {
      tag: 'Keys',
      summary: 'Replace an API key, with an overlap in which both work',
      description:
        'The new key has the name, scopes and mode of the old one and no expiry; the old one ends after `overlap_hours` (24 unless told, 720 at most).',
      answers: { 201: createdAnswer.extend({ replaced: keyAnswer }) },
      errors: ['api_key_not_found', 'api_key_not_active'],
      example: { overlap_hours: 24 },
    },
    async handle({ project, params, body: { overlapHours } }) {
      const rotated = await rotateApiKey({ project, id: params.id ?? '', overlapHours }, deps);
      return jsonAnswer(201, { ...createdBody(rotated), replaced: shownKey(rotated.replaced) });
    },
  });
}
