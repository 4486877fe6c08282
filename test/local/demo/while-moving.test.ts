import { expect, test } from 'vitest';
import { whileMoving } from '../../../local/demo/while-moving.ts';

const PATIENCE = { stillMillis: 60, pollMillis: 5 };

test('something slow is waited for as long as it moves, far beyond the patience', async () => {
  const start = performance.now();
  let looks = 0;
  const found = await whileMoving(
    'the slow one',
    async () => {
      looks += 1;
      const elapsed = performance.now() - start;
      return { found: elapsed > 240 ? 'done' : undefined, seen: Math.floor(elapsed / 20) };
    },
    PATIENCE,
  );
  expect(found).toBe('done');
  expect(looks).toBeGreaterThan(3);
});

test('something that does not move is given up, and the error says what was waited for', async () => {
  const stuck = whileMoving('the stuck one', async () => ({ seen: { status: 'running' } }), PATIENCE);
  await expect(stuck).rejects.toThrow('Waited for the stuck one, and for 0.06 seconds nothing moved.');
});
