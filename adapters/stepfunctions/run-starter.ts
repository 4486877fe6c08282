import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { RunStarter } from '../../core/invoicing/ports.ts';

/** Starts the billing workflow under the run's own id, so that a run is started once however often it is asked for. */
export function runStarter(client: SFNClient, machineArn: string): RunStarter {
  return {
    async start(run) {
      try {
        await client.send(
          new StartExecutionCommand({
            stateMachineArn: machineArn,
            name: run.id,
            input: JSON.stringify({
              project_id: run.project,
              run_id: run.id,
              as_of: run.asOf,
              through: run.through,
              reason: run.reason,
            }),
          }),
        );
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    },
  };
}
