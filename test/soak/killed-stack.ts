import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order, SoakStackConfig, Told } from './soak-stack.ts';
import type { Happened } from './weather.ts';

/** The soak's stack: a process that is killed whole by SIGKILL and started again on what it left behind, at the same address. */
export class KilledStack {
  readonly #config: Omit<SoakStackConfig, 'apiPort' | 'weatherSeed'>;
  #child: ChildProcess | undefined;
  #apiPort = 0;
  #lives = 0;
  /** What the weather of earlier lives and of this one has done. */
  readonly #before: Happened = {};
  #now: Happened = {};

  constructor(config: Omit<SoakStackConfig, 'apiPort' | 'weatherSeed'>) {
    this.#config = config;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.#apiPort}`;
  }

  get kills(): number {
    return Math.max(0, this.#lives - 1);
  }

  happened(): Happened {
    return sumOf(this.#before, this.#now);
  }

  /** Starts the stack, whose weather will be that of this seed. Throws when it does not stand. */
  async start(weatherSeed: number): Promise<void> {
    const config: SoakStackConfig = { ...this.#config, apiPort: this.#apiPort, weatherSeed };
    const child = fork(join(import.meta.dirname, 'soak-stack.ts'), [JSON.stringify(config)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#lives += 1;
    const standing = new Promise<void>((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`The stack ended while it started: ${code ?? signal}.`)));
      child.on('message', (told: Told) => {
        if (told.kind === 'weather') this.#now = told.happened;
        if (told.kind !== 'standing') return;
        this.#apiPort = Number(new URL(told.apiUrl).port);
        resolve();
      });
    });
    await standing;
  }

  /** Ends the stack at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    Object.assign(this.#before, this.happened());
    this.#now = {};
  }

  /** Gives an order and waits until it is done. */
  async order(order: Order): Promise<number> {
    const child = this.#child;
    if (child === undefined) throw new Error('The stack is not running.');
    return new Promise((resolve, reject) => {
      const forget = () => child.off('message', done).off('exit', ended);
      const done = (told: Told) => {
        if (told.kind !== 'done') return;
        forget();
        resolve(told.left);
      };
      const ended = () => {
        forget();
        reject(new Error('The stack ended before it had done what it was told.'));
      };
      child.on('message', done).on('exit', ended);
      child.send(order);
    });
  }
}

function sumOf(one: Happened, other: Happened): Happened {
  const sum = { ...one };
  for (const [what, times] of Object.entries(other)) sum[what] = (sum[what] ?? 0) + times;
  return sum;
}
