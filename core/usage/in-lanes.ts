/** Works on a list a few entries at a time; the first failure is thrown once every lane has stopped. */
export async function inLanes<T>(list: readonly T[], lanes: number, work: (entry: T) => Promise<void>): Promise<void> {
  const queue = [...list];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, queue.length) }, lane));
}
