import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiClient } from '../cli/api-client.ts';
import { demoProject } from '../local/demo/demo-project.ts';
import { localDeployment } from '../local/local-deployment.ts';
import { type LocalStack, startStack } from '../local/stack.ts';
import { synthesize } from '../local/synthesize.ts';

export interface BenchStack {
  readonly stack: LocalStack;
  readonly client: ApiClient;
  readonly apiKey: string;
}

/** Runs `use` on the whole local stack of the synthesized app, with a project and a key of it, in a state folder of its own. */
export async function withBenchStack<T>(
  onStep: (step: string) => void,
  use: (bench: BenchStack) => Promise<T>,
): Promise<T> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'countinghouse-bench-'));
  onStep('synthesizing the CDK app');
  await synthesize();
  const stack = await startStack({ cdkOut: path.resolve('cdk.out'), stateDir, onProgress: onStep });
  try {
    const { apiKey } = await demoProject(stateDir, localDeployment(stack), stack.clock);
    return await use({ stack, client: new ApiClient({ url: stack.apiUrl, key: apiKey }), apiKey });
  } finally {
    await stack.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}
