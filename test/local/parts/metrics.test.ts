import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { expect, test } from 'vitest';
import { MetricsSink } from '../../../local/parts/metrics.ts';

/** What Powertools would print. */
function emf(name: string, value: number, dimensions: Record<string, string>): string {
  const metrics = new Metrics({ namespace: 'Countinghouse', serviceName: 'usage' });
  metrics.addDimensions(dimensions);
  metrics.addMetric(name, MetricUnit.Count, value);
  return JSON.stringify(metrics.serializeMetrics());
}

test('metrics that functions print can be asked for by name, function and dimension', () => {
  const sink = new MetricsSink();
  expect(sink.take('fold-usage', emf('FoldedEvents', 40, { stage: 'local' }))).toBe(true);
  expect(sink.take('fold-usage', emf('FoldedEvents', 2, { stage: 'test' }))).toBe(true);
  expect(sink.take('append-usage', emf('AppendedEvents', 7, { stage: 'local' }))).toBe(true);
  expect(sink.sum({ name: 'FoldedEvents' })).toBe(42);
  expect(sink.sum({ namespace: 'Countinghouse', dimensions: { stage: 'local' } })).toBe(47);
  expect(sink.values({ function: 'append-usage' })).toMatchObject([
    { name: 'AppendedEvents', unit: 'Count', value: 7, dimensions: { service: 'usage', stage: 'local' } },
  ]);
  sink.clear();
  expect(sink.values()).toEqual([]);
});

test('other lines of a function are no metrics', () => {
  const sink = new MetricsSink();
  for (const line of [
    'plain text',
    '{"level":"INFO"}',
    '{"_aws":{"CloudWatchMetrics":"x"}}',
    '{"CloudWatchMetrics":',
  ]) {
    expect(sink.take('api', line)).toBe(false);
  }
  expect(sink.values()).toEqual([]);
});
