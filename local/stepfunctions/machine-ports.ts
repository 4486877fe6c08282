/** What a running state machine needs of the world; local/stack.ts supplies it. */
import type { Outcome } from '../lambda/environment.ts';
import type { LocalClock } from '../parts/clock.ts';
import type { Json, JsonObject } from '../template/json.ts';

export interface MachinePorts {
  readonly clock: LocalClock;
  readonly invoke: (functionArn: string, payload: string) => Promise<Outcome>;
  /** Asks for the machine's role. Resolves to the reason of a refusal, or undefined when allowed. */
  readonly refusal: (action: string, resource: string) => Promise<string | undefined>;
  /** Reads an object with the machine's role. Rejects when it is missing or not allowed. */
  readonly readObject: (bucket: string, key: string) => Promise<string>;
}

/** The part of the context object (`$$`) that is the same for a whole execution. */
export interface ExecutionContext {
  readonly executionArn: string;
  readonly executionName: string;
  readonly roleArn: string;
  readonly machineArn: string;
  readonly machineName: string;
  /** RFC 3339, milliseconds. */
  readonly startTime: string;
}

export interface MachineRun {
  /** Checked by check-definition.ts. */
  readonly definition: JsonObject;
  readonly input: Json;
  readonly context: ExecutionContext;
  readonly ports: MachinePorts;
  readonly signal: AbortSignal;
  readonly onState?: (name: string) => void;
}
