import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './rooms.ts';

const builders = [
  ...readFileSync(join(ROOT, 'adapters/dynamodb/keys.ts'), 'utf8').matchAll(/^ {2}(\w+): (?:\(|prefix)/gm),
].map(([, name]) => name ?? '');
const page = readFileSync(join(ROOT, 'docs/data-model.md'), 'utf8');

test('the data model describes every key of keys.ts, table by table in the same order', () => {
  expect(builders.length).toBeGreaterThan(50);
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  const described = rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''),
  );
  const inOrder = [...new Set(described)].filter((name) => builders.includes(name));
  expect(inOrder.toSorted()).toEqual(builders.toSorted());
  // a row may name the builders of its lists after its own; rows themselves follow the file
  const rowsFirst = rows.flatMap((row) => {
    const own = [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => builders.indexOf(name ?? ''));
    return own.length > 0 && own[0] !== undefined && own[0] >= 0 ? [own[0]] : [];
  });
  expect(rowsFirst).toEqual(rowsFirst.toSorted((a, b) => a - b));
});
