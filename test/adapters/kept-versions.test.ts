import { expect, test } from 'vitest';
import { KeptVersions } from '../../adapters/dynamodb/kept-versions.ts';

function counted() {
  const reads: string[] = [];
  const read = (name: string) => async () => {
    reads.push(name);
    return name.startsWith('none') ? null : { name, charges: [{ tiers: [{ upTo: '10' }] }] };
  };
  return { reads, read };
}

test('a version is read once, and whoever asks again gets the same object', async () => {
  const { reads, read } = counted();
  const kept = new KeptVersions(2);
  const first = await kept.get('pro@1', read('pro@1'));
  expect(await kept.get('pro@1', read('pro@1'))).toBe(first);
  expect(reads).toEqual(['pro@1']);
});

test('nobody can change what others share, at any depth', async () => {
  const { read } = counted();
  const version = await new KeptVersions<{ charges: { tiers: { upTo: string }[] }[] }>(1).get('pro@1', read('pro@1'));
  const tier = version?.charges[0]?.tiers[0];
  expect(() => Object.assign(tier ?? {}, { upTo: '11' })).toThrow(TypeError);
  expect(() => version?.charges.pop()).toThrow(TypeError);
});

test('what was not found, or could not be read, is asked for again', async () => {
  const { reads, read } = counted();
  const kept = new KeptVersions(2);
  expect(await kept.get('none@1', read('none@1'))).toBeNull();
  expect(await kept.get('none@1', read('none@1'))).toBeNull();
  const failing = async () => {
    reads.push('failed');
    throw new Error('throttled');
  };
  await expect(kept.get('pro@1', failing)).rejects.toThrow('throttled');
  expect(await kept.get('pro@1', read('pro@1'))).toMatchObject({ name: 'pro@1' });
  expect(reads).toEqual(['none@1', 'none@1', 'failed', 'pro@1']);
});

test('the versions used longest ago make room', async () => {
  const { reads, read } = counted();
  const kept = new KeptVersions(2);
  for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await kept.get(name, read(name));
  // b was used longest ago when c came; c, when b came again.
  expect(reads).toEqual(['a', 'b', 'c', 'b']);
});
