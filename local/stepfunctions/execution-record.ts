/** Executions as they are kept: one file each, so that a restart knows which had ended and which must run again. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ExecutionRecord {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  /** As the caller sent it. */
  readonly input: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** Local time, ms since the epoch. */
  readonly startedAt: number;
  readonly stoppedAt?: number;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

export class ExecutionRecords {
  readonly #folder: string;
  readonly #records = new Map<string, ExecutionRecord>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const record = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as ExecutionRecord;
      this.#records.set(record.executionArn, record);
    }
  }

  find(executionArn: string): ExecutionRecord | undefined {
    return this.#records.get(executionArn);
  }

  /** Latest start first. */
  list(stateMachineArn: string): readonly ExecutionRecord[] {
    return [...this.#records.values()]
      .filter((record) => record.stateMachineArn === stateMachineArn)
      .sort((left, right) => right.startedAt - left.startedAt || (right.name < left.name ? -1 : 1));
  }

  put(record: ExecutionRecord): void {
    const file = path.join(
      this.#folder,
      `${encodeURIComponent(record.executionArn.split(':').slice(-2).join(':'))}.json`,
    );
    writeFileSync(`${file}.new`, JSON.stringify(record));
    renameSync(`${file}.new`, file);
    this.#records.set(record.executionArn, record);
  }
}
