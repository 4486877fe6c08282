/**
 * The state machines of the app: starts executions once per name, keeps their records, starts unfinished ones again after a
 * restart. AWS would resume such an execution in its current state; here it runs again from its beginning, which is the
 * harder case: every state must stand being run twice either way.
 */
import { ServiceError } from '../gateway/backend.ts';
import type { LocalClock } from '../parts/clock.ts';
import type { Json } from '../template/json.ts';
import type { StateMachineModel } from '../template/model.ts';
import { AslError, toAslError } from './asl-error.ts';
import { checkDefinition } from './check-definition.ts';
import { type ExecutionRecord, ExecutionRecords } from './execution-record.ts';
import type { ExecutionContext, MachinePorts } from './machine-ports.ts';
import { runMachine } from './machine-run.ts';

export interface StateMachinesOptions {
  readonly machines: readonly StateMachineModel[];
  /** The ports of a machine act with its role. */
  readonly portsOf: (machine: StateMachineModel) => MachinePorts;
  readonly clock: LocalClock;
  readonly folder: string;
  readonly onChange?: (record: ExecutionRecord) => void;
  readonly onState?: (executionArn: string, state: string) => void;
}

const MAX_INPUT_BYTES = 262_144;
/** Why a running execution was told to end; anything else that aborts it is the end of the stack. */
class Stopped extends Error {}

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class StateMachines {
  readonly #options: StateMachinesOptions;
  readonly #records: ExecutionRecords;
  readonly #running = new Map<string, Running>();

  /** @throws DefinitionError for a machine that cannot be run truthfully */
  constructor(options: StateMachinesOptions) {
    for (const machine of options.machines) checkDefinition(machine.definition);
    this.#options = options;
    this.#records = new ExecutionRecords(options.folder);
  }

  /** Starts again what was running when the stack last ended. Returns how many. */
  resume(): number {
    const unfinished = this.#options.machines
      .flatMap((machine) => this.#records.list(machine.arn))
      .filter((record) => record.status === 'RUNNING');
    for (const record of unfinished) this.#run(record);
    return unfinished.length;
  }

  /**
   * Starts an execution. The same name and input while it runs is the same execution; the name of a closed one, or another
   * input, is refused, as on AWS.
   * @param input JSON text, at most 256 KiB
   * @throws ServiceError StateMachineDoesNotExist, InvalidExecutionInput, ExecutionAlreadyExists
   */
  start(machineArn: string, name: string, input: string): ExecutionRecord {
    const machine = this.machine(machineArn);
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    if (Buffer.byteLength(input) > MAX_INPUT_BYTES || !isJson(input)) {
      throw new ServiceError('InvalidExecutionInput', 'Invalid State Machine Execution Input');
    }
    const executionArn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#records.find(executionArn);
    if (existing !== undefined) {
      if (existing.status === 'RUNNING' && existing.input === input) return existing;
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const startedAt = this.#options.clock.now();
    const record: ExecutionRecord = {
      executionArn,
      stateMachineArn: machine.arn,
      name,
      input,
      status: 'RUNNING',
      startedAt,
    };
    this.#records.put(record);
    this.#run(record);
    return record;
  }

  /** @throws ServiceError ExecutionDoesNotExist */
  describe(executionArn: string): ExecutionRecord {
    const record = this.#records.find(executionArn);
    if (record === undefined) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    }
    return record;
  }

  /** Latest start first. @throws ServiceError StateMachineDoesNotExist */
  list(machineArn: string): readonly ExecutionRecord[] {
    return this.#records.list(this.machine(machineArn).arn);
  }

  /** Stops an execution and resolves to its record. One that is closed stays as it is. */
  async abort(executionArn: string, error?: string, cause?: string): Promise<ExecutionRecord> {
    const running = this.#running.get(this.describe(executionArn).executionArn);
    running?.abort.abort(Object.assign(new Stopped('stopped'), { error, detail: cause }));
    await running?.done;
    return this.describe(executionArn);
  }

  /** Resolves once the execution has ended. */
  async untilEnded(executionArn: string): Promise<ExecutionRecord> {
    await this.#running.get(executionArn)?.done;
    return this.describe(executionArn);
  }

  /** Ends every run without a word in its record: they are unfinished and start again with the stack. */
  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    for (const running of all) running.abort.abort(new Error('the stack stops'));
    await Promise.all(all.map((running) => running.done));
  }

  machine(arn: string): StateMachineModel {
    const machine = this.#options.machines.find((candidate) => candidate.arn === arn);
    if (machine === undefined)
      throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  #run(record: ExecutionRecord): void {
    const abort = new AbortController();
    const done = this.#execute(record, abort).finally(() => this.#running.delete(record.executionArn));
    this.#running.set(record.executionArn, { abort, done });
    this.#options.onChange?.(record);
  }

  async #execute(record: ExecutionRecord, abort: AbortController): Promise<void> {
    const { clock, portsOf, onState } = this.#options;
    const machine = this.machine(record.stateMachineArn);
    const cancelTimeout = limitRun(machine, record, clock, abort);
    try {
      const output = await runMachine({
        definition: machine.definition,
        input: JSON.parse(record.input) as Json,
        context: contextOf(machine, record),
        ports: portsOf(machine),
        signal: abort.signal,
        onState: (state) => onState?.(record.executionArn, state),
      });
      this.#end(record, { status: 'SUCCEEDED', output: JSON.stringify(output) });
    } catch (error) {
      if (!abort.signal.aborted) {
        const { name, message } = toAslError(error);
        this.#end(record, { status: 'FAILED', error: name, cause: message });
      } else if (abort.signal.reason instanceof Stopped) {
        const { error: name, detail } = abort.signal.reason as Stopped & { error?: string; detail?: string };
        this.#end(record, {
          status: 'ABORTED',
          ...(name === undefined ? {} : { error: name }),
          ...(detail === undefined ? {} : { cause: detail }),
        });
      } else if (abort.signal.reason instanceof AslError) {
        this.#end(record, { status: 'TIMED_OUT', error: 'States.Timeout' });
      }
    } finally {
      cancelTimeout();
    }
  }

  #end(record: ExecutionRecord, end: Pick<ExecutionRecord, 'status'> & Partial<ExecutionRecord>): void {
    const ended = { ...record, ...end, stoppedAt: this.#options.clock.now() };
    this.#records.put(ended);
    this.#options.onChange?.(ended);
  }
}

/** TimeoutSeconds of the machine is lived through on the stack's clock, from the execution's start. */
function limitRun(
  machine: StateMachineModel,
  record: ExecutionRecord,
  clock: LocalClock,
  abort: AbortController,
): () => void {
  const seconds = machine.definition.TimeoutSeconds;
  if (typeof seconds !== 'number') return () => undefined;
  return clock.at(record.startedAt + seconds * 1000, () =>
    abort.abort(new AslError('States.Timeout', 'the execution timed out')),
  );
}

function contextOf(machine: StateMachineModel, record: ExecutionRecord): ExecutionContext {
  return {
    executionArn: record.executionArn,
    executionName: record.name,
    roleArn: machine.roleArn,
    machineArn: machine.arn,
    machineName: machine.name,
    startTime: new Date(record.startedAt).toISOString(),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
