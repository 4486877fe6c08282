/** A Task state that invokes a function: the role's permission, the invocation, and Lambda's failures in the machine's words. */
import type { Json } from '../template/json.ts';
import { AslError, limitPayload } from './asl-error.ts';
import type { MachinePorts } from './machine-ports.ts';

/** @throws AslError named after the function's error, or a `Lambda.*` service error */
export async function invokeFunction(functionArn: string, payload: Json, ports: MachinePorts): Promise<Json> {
  limitPayload('The input of the task', payload);
  const refusal = await ports.refusal('lambda:InvokeFunction', functionArn);
  if (refusal !== undefined) throw new AslError('Lambda.AWSLambdaException', refusal);
  const outcome = await invokeOrFail(functionArn, JSON.stringify(payload), ports);
  if (outcome.kind === 'error') {
    const { errorType, errorMessage, trace } = outcome.error;
    throw new AslError(errorType, JSON.stringify({ errorType, errorMessage, trace }));
  }
  const result = JSON.parse(outcome.payload) as Json;
  limitPayload('The output of the task', result);
  return result;
}

async function invokeOrFail(functionArn: string, payload: string, ports: MachinePorts) {
  try {
    return await ports.invoke(functionArn, payload);
  } catch (error) {
    throw new AslError('Lambda.ServiceException', error instanceof Error ? error.message : String(error));
  }
}
