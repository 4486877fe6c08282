import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RUN_LIFE_HOURS, runStatusAt } from '../../../core/invoicing/billing-run.ts';
import { parseInstant } from '../../../core/time/instant.ts';

const run = (status: 'running' | 'finished' | 'failed') => ({
  status,
  startedAt: parseInstant('2027-03-01T01:00:00Z'),
});
const at = (text: string) => parseInstant(text);

describe('the status of a billing run', () => {
  test('is running for as long as its workflow may be', () => {
    expect(runStatusAt(run('running'), at('2027-03-02T01:00:00.000Z'))).toBe('running');
  });
  test('is failed once the workflow is out of time and nobody wrote an end', () => {
    expect(runStatusAt(run('running'), at('2027-03-02T01:00:00.001Z'))).toBe('failed');
  });
  test.each(['finished', 'failed'] as const)('stays %s, however late', (status) => {
    expect(runStatusAt(run(status), at('2028-01-01T00:00:00Z'))).toBe(status);
  });
  test('counts with the time that the workflow declares', () => {
    const file = new URL('../../../statemachines/monthly-billing.asl.json', import.meta.url);
    const { TimeoutSeconds } = JSON.parse(readFileSync(file, 'utf8')) as { TimeoutSeconds: number };
    expect(TimeoutSeconds).toBe(RUN_LIFE_HOURS * 3600);
  });
});
