import { expect, test } from 'vitest';
import { MEMORY_MB } from '../../bench/cost-world.ts';
import { functionNameOf, ofType, synthesize } from '../lib/synthesized.ts';

test('the bench bills the memory that the production stack declares', () => {
  const { service } = synthesize('prod');
  const declared = ofType(service, 'AWS::Lambda::Function').map(([id, { Properties }]) => [id, Properties?.MemorySize]);
  const byName = new Map(declared.map(([id, memory]) => [functionNameOf(String(id)), memory]));
  const names = Object.keys(MEMORY_MB) as (keyof typeof MEMORY_MB)[];
  expect(names.map((name) => [name, byName.get(name)])).toEqual(names.map((name) => [name, MEMORY_MB[name]]));
}, 120_000);
