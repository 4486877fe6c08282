import { spawn } from 'node:child_process';

/** Synthesizes the CDK app into cdk.out. Throws with the synthesizer's own words when it fails. */
export async function synthesize(): Promise<void> {
  // The app itself: the CLI around it would write the same and take seconds to begin.
  const child = spawn(process.execPath, ['bin/app.ts'], { stdio: ['ignore', 'pipe', 'pipe'] });
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
  if (code !== 0) throw new Error(`The CDK app does not synthesize:\n${said}`);
}
