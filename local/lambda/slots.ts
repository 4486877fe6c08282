/** So many at a time: `take` waits for a free slot and returns the way to give it back. */
export class Slots {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async take(): Promise<() => void> {
    while (this.#taken >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#taken -= 1;
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** Resolves once no slot is taken. */
  async idle(): Promise<void> {
    while (this.#taken > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
