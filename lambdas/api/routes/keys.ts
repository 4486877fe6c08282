import * as z from 'zod';
import { SCOPES } from '../../../core/accounts/api-key.ts';
import { type ApiKeyDeps, createApiKey } from '../../../core/accounts/create-api-key.ts';
import { labelSchema } from '../../../core/catalog/key.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { instantOfText, listOf, pageQuery, timeText } from '../schemas.ts';
import { createdAnswer, createdBody, keyAnswer, shownKey, withoutKey } from '../shown-key.ts';

export function keyRoutes(deps: ApiKeyDeps): readonly Route[] {
  return [create(deps), list(deps)];
}

function create(deps: ApiKeyDeps): Route {
  const body = z.strictObject({
    name: labelSchema,
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    expiresAt: timeText.nullable().optional(),
  });
  return route({
    method: 'POST',
    path: '/v1/keys',
    scope: 'admin',
    isCreating: true,
    kept: withoutKey,
    body,
    docs: {
      tag: 'Keys',
      summary: 'Create an API key',
      description: 'The key is in this answer and nowhere else. It belongs to the project and mode of the calling key.',
      answers: { 201: createdAnswer },
      errors: ['expires_at_invalid'],
      example: { name: 'ingest backend', scopes: ['ingest'], expires_at: '2027-11-01T00:00:00Z' },
    },
    async handle({ project, principal, body: { name, scopes, expiresAt } }) {
      const expiry = expiresAt === undefined || expiresAt === null ? null : instantOfText(expiresAt);
      const input = { project, mode: principal.mode, name, scopes, expiresAt: expiry };
      return jsonAnswer(201, createdBody(await createApiKey(input, deps)));
    },
  });
}

function list(deps: ApiKeyDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/keys',
    scope: 'admin',
    query: pageQuery,
    docs: {
      tag: 'Keys',
      summary: 'List API keys, ended ones too; never their text',
      answers: { 200: listOf(keyAnswer) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query }) {
      const { items, cursor } = await deps.keys.list(project, pageOf(query));
      return jsonAnswer(200, { data: items.map(shownKey), nextCursor: cursor });
    },
  });
}
