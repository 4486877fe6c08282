import * as z from 'zod';
import { type ApiKeyRecord, SCOPES } from '../../core/accounts/api-key.ts';
import type { CreatedApiKey } from '../../core/accounts/create-api-key.ts';
import type { HttpAnswer } from '../shared/problem.ts';
import { timeText } from './schemas.ts';

/** How answers show API keys. */
export const keyAnswer = z.object({
  id: z.string(),
  mode: z.enum(['live', 'test']),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: timeText,
  expiresAt: timeText.nullable(),
  revokedAt: timeText.nullable(),
  rotatedTo: z.string().nullable(),
});
export const createdAnswer = keyAnswer.extend({
  key: z.string().nullable().meta({ description: 'The key itself, shown this once; null in a repeated answer.' }),
});

/** A record as answers show it: without the hash. */
export function shownKey(record: ApiKeyRecord): object {
  const { hash: _hash, project: _project, ...shown } = record;
  return shown;
}

export const createdBody = ({ key, record }: CreatedApiKey) => ({ key, ...shownKey(record) });

/** What a repeated request is answered with: everything but the key, which is stored nowhere. */
export function withoutKey(answer: HttpAnswer): HttpAnswer {
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), key: null }) };
}
