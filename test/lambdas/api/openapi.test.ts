import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, statusOfCode } from '../../../lambdas/api/document/error-codes.ts';
import { errorCodesOf, openApiDocument } from '../../../lambdas/api/document/openapi.ts';
import { documentedRoutes, type RouteDeps, routesOf } from '../../../lambdas/api/routes.ts';

const routes = documentedRoutes(routesOf({} as RouteDeps));
// biome-ignore lint/suspicious/noExplicitAny: a JSON document of any shape
const document = openApiDocument(routes) as any;
const ROOT = join(import.meta.dirname, '../../..');

describe('the OpenAPI document', () => {
  it('has every route of the issue', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations).toEqual(
      expect.arrayContaining([
        'POST /v1/events',
        'GET /v1/usage',
        'POST /v1/meters',
        'GET /v1/meters',
        'POST /v1/plans',
        'GET /v1/plans',
        'POST /v1/customers',
        'GET /v1/customers',
        'POST /v1/subscriptions',
        'GET /v1/subscriptions',
        'GET /v1/invoices',
        'POST /v1/estimates',
        'POST /v1/invoices/preview',
        'POST /v1/billing-runs',
        'GET /v1/billing-runs',
        'GET /v1/health',
        'GET /v1/openapi.json',
        'POST /webhooks/stripe/{project_id}',
      ]),
    );
    expect(new Set(operations).size).toBe(operations.length);
  });

  it('is written in snake_case throughout', () => {
    const names = new Set<string>();
    JSON.stringify(document, (key, value) => {
      // an event has a field of that very name, whose value is a schema and no list of fields
      if (key === 'properties' && !('anyOf' in value) && typeof value.type !== 'string')
        for (const name of Object.keys(value)) names.add(name);
      return value;
    });
    expect([...names].filter((name) => /[A-Z]/.test(name))).toEqual([]);
    expect(names.has('unit_price')).toBe(true);
  });

  it('shows what the validation takes: required fields, variants and limits', () => {
    const body = document.paths['/v1/plans'].post.requestBody.content['application/json'].schema;
    expect(body.required).toEqual(expect.arrayContaining(['plan', 'name', 'currency', 'charges']));
    expect(JSON.stringify(body)).toContain('"package_size"');
    const meter = document.paths['/v1/meters'].post.requestBody.content['application/json'].schema;
    expect(meter.required).toEqual(['key', 'event_type', 'aggregation']);
    expect(meter.additionalProperties).toBe(false);
    expect(document.paths['/v1/usage'].get.parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'from', in: 'query', required: true }),
        expect.objectContaining({ name: 'group_by', in: 'query', required: false }),
      ]),
    );
  });

  it('shows where Stripe sends its events: no key, the signature, and only the errors that can be the answer', () => {
    const { post } = document.paths['/webhooks/stripe/{project_id}'];
    expect(post.operationId).toBe('post_webhooks_stripe_project_id');
    expect(post.security).toEqual([]);
    expect(post.parameters.map(({ name, in: place }: { name: string; in: string }) => [name, place])).toEqual([
      ['project_id', 'path'],
      ['stripe-signature', 'header'],
    ]);
    expect(post.responses[400].description).toContain('`webhook_signature_invalid`');
    expect(post.responses[400].description).not.toContain('`invalid_json`');
    expect(post.responses[404].description).toContain('`not_found`');
  });

  it('explains every error code of every route under its status', () => {
    for (const route of routes) {
      const operation = document.paths[route.path][route.method.toLowerCase()];
      for (const code of errorCodesOf(route)) {
        expect(ERROR_CODES, `${route.method} ${route.path}`).toHaveProperty(code);
        expect(operation.responses[statusOfCode(code)].description).toContain(`\`${code}\``);
      }
    }
  });

  it('knows every code that the operations behind it can throw', () => {
    const folders = [
      'core/accounts',
      'core/catalog',
      'core/estimates',
      'lambdas/api',
      'lambdas/api/routes',
      'lambdas/shared',
      'lambdas/ingest',
    ];
    const files = [
      ...folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((file) => join(folder, file))),
      'core/usage/backfill.ts',
      'core/usage/audit-usage.ts',
      'core/usage/decide-parked.ts',
      'core/usage/usage-report.ts',
      'core/invoicing/preview-invoices.ts',
      'core/invoicing/start-billing-run.ts',
    ].filter((file) => file.endsWith('.ts'));
    const thrown = files.flatMap((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const codes = text.matchAll(
        /(?:invalid|conflict|notFound|refused)\(\s*'([a-z_]+)'|\bcode: '([a-z_]+)',\s*message/g,
      );
      return [...codes].map(([, a, b]) => a ?? b ?? '');
    });
    expect(thrown.length).toBeGreaterThan(30);
    const unknown = thrown.filter((code) => !(code in ERROR_CODES) && !NOT_OVER_HTTP.has(code));
    expect([...new Set(unknown)]).toEqual([]);
  });
});

/** Thrown by operations that only the command line calls, or under a code that a schema before them gives. */
const NOT_OVER_HTTP: ReadonlySet<string> = new Set([
  'project_name_invalid',
  'api_key_exists',
  'scopes_invalid',
  'overlap_invalid',
  'backfill_name_invalid',
  'run_input_invalid',
  'function_not_written',
]);
