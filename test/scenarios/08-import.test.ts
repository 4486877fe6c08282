/** A file of old usage in the shape of the Azure LLM trace, imported with `npm run import` and billed for its own month. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Scenario } from '../support/scenario.ts';
import { billedByRequest } from '../support/scenario-assembly.ts';
import { runCli } from '../support/scenario-cli.ts';
import { subscribe } from '../support/scenario-customers.ts';

/** CRLF, seven digits of fraction, and no newline at the end. */
const ROWS = [
  'TIMESTAMP,ContextTokens,GeneratedTokens',
  '2023-11-16 18:15:46.6805900,374,44',
  '2023-11-16 18:15:50.9951690,396,109',
  '2023-11-16 18:15:51.2225670,879,55',
  // The same numbers a second time are another request.
  '2023-11-16 18:15:51.2225670,879,55',
  '2023-11-16 23:59:59.9999999,1999997,16',
  '2023-11-30 23:59:59.9999999,91,0',
  // The first instant of December belongs to December.
  '2023-12-01 00:00:00.0000000,5000000,7000',
];
const METERS = [
  { key: 'prompt_tokens', event_type: 'llm_request', aggregation: 'sum', value: 'prompt_tokens', dimensions: [] },
  { key: 'generated_tokens', event_type: 'llm_request', aggregation: 'sum', value: 'generated_tokens', dimensions: [] },
  { key: 'requests', event_type: 'llm_request', aggregation: 'count', dimensions: [] },
];
const PLAN = {
  plan: 'llm',
  name: 'LLM',
  currency: 'USD',
  interval: 'month',
  charges: [
    {
      kind: 'usage',
      key: 'prompt',
      name: 'Prompt tokens',
      meter: 'prompt_tokens',
      price: { model: 'per_unit', unit_price: '0.0000025' },
    },
    {
      kind: 'usage',
      key: 'generated',
      name: 'Generated tokens',
      meter: 'generated_tokens',
      price: { model: 'per_unit', unit_price: '0.00001' },
    },
  ],
};

let scenario: Scenario;
let file: string;
beforeAll(async () => {
  scenario = await Scenario.start({ cdkOut: billedByRequest(inject('cdkOut')), now: '2027-02-10T09:00:00Z' });
  for (const meter of METERS) await scenario.client.post('/v1/meters', meter);
  await scenario.client.post('/v1/plans', PLAN);
  await subscribe(scenario, { id: 'azure', plan: 'llm', start: '2023-11-01T00:00:00Z' });
  file = join(scenario.folder, 'trace.csv');
  writeFileSync(file, ROWS.join('\r\n'));
});
afterAll(() => scenario?.stop());

const MAP = [
  'type=:llm_request',
  'customer=:azure',
  'time=TIMESTAMP',
  'prompt_tokens=ContextTokens',
  'generated_tokens=GeneratedTokens',
];
const imported = () =>
  runCli('import', [file, ...MAP.flatMap((field) => ['-m', field]), '--url', scenario.stack.apiUrl, '--batch', '3'], {
    COUNTINGHOUSE_KEY: scenario.key,
  });
const NOVEMBER = { customer: 'azure', from: '2023-11-01T00:00:00Z', to: '2023-12-01T00:00:00Z' };
/** 374 + 396 + 879 + 879 + 1,999,997 + 91 and 44 + 109 + 55 + 55 + 16 + 0 */
const USED = { prompt_tokens: '2002616', generated_tokens: '279', requests: '6' };

test('every row of the file becomes one event of its own time', async () => {
  const { code, output } = await imported();
  expect(output).toMatch(/7 rows from 2023-11-16T18:15:46.68059Z to 2023-12-01T00:00:00Z/);
  expect(code).toBe(0);
  await scenario.usageBecomes(NOVEMBER, USED);
  await scenario.usageBecomes(
    { customer: 'azure', from: '2023-12-01T00:00:00Z', to: '2024-01-01T00:00:00Z' },
    { prompt_tokens: '5000000', generated_tokens: '7000', requests: '1' },
  );
});

test('the file imported a second time counts nothing more', async () => {
  expect((await imported()).code).toBe(0);
  scenario.stack.clock.advance(3_600_000);
  await scenario.usageBecomes(NOVEMBER, USED);
});

test('a run through November 2023 bills that month alone, to the cent', async () => {
  const run = await scenario.bill('2023-11');
  expect(run).toMatchObject({
    status: 'finished',
    report: { failures: [], totals: [{ currency: 'USD', total: '5.01', invoices: 1 }] },
  });
  const invoices = await scenario.invoicesWhen('paid');
  expect(invoices.map(({ period, total }) => [period.key, total])).toEqual([['2023-11', '5.01']]);
  expect(invoices[0]?.lines.map(({ quantity, exact_amount, amount }) => [quantity, exact_amount, amount])).toEqual([
    // 2,002,616 x 0.0000025
    ['2002616', '5.00654', '5.01'],
    // 279 x 0.00001
    ['279', '0.00279', '0.00'],
  ]);
});

test('a row that cannot be read stops the import before anything is sent, and names itself', async () => {
  const broken = join(scenario.folder, 'broken.csv');
  writeFileSync(broken, `${ROWS.slice(0, 2).join('\r\n')}\r\nyesterday,1,2`);
  const { code, output } = await runCli('import', [
    broken,
    ...MAP.flatMap((field) => ['-m', field]),
    '--url',
    scenario.stack.apiUrl,
    '--key',
    scenario.key,
  ]);
  expect(code).toBe(1);
  expect(output).toContain('yesterday');
  expect(scenario.problems).toEqual([]);
});
