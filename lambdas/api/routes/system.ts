import * as z from 'zod';
import { jsonAnswer } from '../../shared/http.ts';
import { openApiDocument } from '../document/openapi.ts';
import { type Route, route } from '../route.ts';

/** What is open to everybody: whether the API answers, and what it can do. `documented` is every route of the document. */
export function systemRoutes(documented: () => readonly Route[]): readonly Route[] {
  let document: string | undefined;
  return [
    route({
      method: 'GET',
      path: '/v1/health',
      scope: null,
      docs: {
        tag: 'System',
        summary: 'Whether the API answers',
        answers: { 200: z.object({ status: z.literal('ok') }) },
      },
      handle: async () => jsonAnswer(200, { status: 'ok' }),
    }),
    route({
      method: 'GET',
      path: '/v1/openapi.json',
      scope: null,
      docs: { tag: 'System', summary: 'This document', answers: { 200: null } },
      async handle() {
        document ??= JSON.stringify(openApiDocument(documented()));
        return {
          statusCode: 200,
          headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' },
          body: document,
        };
      },
    }),
  ];
}
