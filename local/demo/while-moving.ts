/** What a look found: the result once it is there, and what would be different had anything moved since the look before. */
export interface Look<T> {
  readonly found?: T | undefined;
  readonly seen: unknown;
}

export interface Patience {
  /** How long nothing may move before it counts as stuck, in milliseconds. */
  readonly stillMillis: number;
  readonly pollMillis: number;
}

const PATIENCE: Patience = { stillMillis: 120_000, pollMillis: 100 };

/**
 * Waits for something for as long as it moves: a loaded machine is slow and not stuck. Throws when nothing at all has changed for
 * the whole of the patience.
 */
export async function whileMoving<T>(what: string, look: () => Promise<Look<T>>, patience = PATIENCE): Promise<T> {
  let last: string | undefined;
  let movedAt = performance.now();
  for (;;) {
    const { found, seen } = await look();
    if (found !== undefined) return found;
    const now = JSON.stringify(seen);
    if (now !== last) movedAt = performance.now();
    last = now;
    if (performance.now() - movedAt > patience.stillMillis) {
      throw new Error(`Waited for ${what}, and for ${patience.stillMillis / 1000} seconds nothing moved.`);
    }
    await new Promise((resolve) => setTimeout(resolve, patience.pollMillis));
  }
}
