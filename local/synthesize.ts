import { spawn } from 'node:child_process';

/** Synthesizes the CDK app into cdk.out. Throws with the synthesizer's own words when it fails. */
export async function synthesize(): Promise<void> {
  const child = spawn('cdk', ['synth', '--quiet', '--no-notices'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
  });
  let said = '';
  const keep = (part: Buffer) => {
    said = (said + part.toString('utf8')).slice(-8000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`cdk synth failed:\n${said}`);
}
