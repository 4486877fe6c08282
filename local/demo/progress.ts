import cliProgress from 'cli-progress';

/** What the terminal shows while the demo works: a line per step with its time, and a bar where things are counted. */
export class Progress {
  readonly #start = performance.now();

  elapsedSeconds(): string {
    return ((performance.now() - this.#start) / 1000).toFixed(1);
  }

  /** A step that has begun, or something worth knowing. */
  say(text: string): void {
    console.log(`${this.elapsedSeconds().padStart(6)} s  ${text}`);
  }

  /** Counts up to `total` while `work` runs; without a terminal only the end is said. */
  async counted<T>(what: string, total: number, work: (tick: (done: number) => void) => Promise<T>): Promise<T> {
    const bar = process.stdout.isTTY
      ? new cliProgress.SingleBar({ format: `          {bar} {value}/{total} ${what}`, hideCursor: true })
      : undefined;
    bar?.start(total, 0);
    try {
      return await work((done) => bar?.increment(done));
    } finally {
      bar?.stop();
    }
  }
}
