import { existsSync, readFileSync } from 'node:fs';

/**
 * A deployment as the operator's commands need it: the outputs of the two stacks, flat, by name. `cdk deploy --outputs-file
 * outputs.json` writes them for AWS; a running `npm start` writes them, with an endpoint and its own credentials, for the
 * local stack.
 */
export interface Deployment {
  readonly ApiUrl: string;
  readonly BillingTable: string;
  readonly UsageLogTable: string;
  readonly UsageClaimsTable: string;
  readonly UsageViewsTable: string;
  readonly ArchiveBucket: string;
  readonly UsageQueueUrl: string;
  readonly PepperSecret: string;
  /** Only of a local stack. */
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export const LOCAL_OUTPUTS = '.local/outputs.json';
const NAMES = [
  'ApiUrl',
  'BillingTable',
  'UsageLogTable',
  'UsageClaimsTable',
  'UsageViewsTable',
  'ArchiveBucket',
  'UsageQueueUrl',
  'PepperSecret',
] as const;

/** Reads an outputs file. Throws a sentence when there is none, or when it lacks a name. */
export function readDeployment(file: string): Deployment {
  if (!existsSync(file)) {
    const hint = file === LOCAL_OUTPUTS ? 'Start the local stack with npm start, or give' : 'Give';
    throw new Error(
      `There is no ${file}. ${hint} the file that npx cdk deploy --all --outputs-file FILE wrote, with --outputs FILE.`,
    );
  }
  const stacks = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>;
  const flat: Record<string, unknown> = Object.assign({}, ...Object.values(stacks));
  const missing = NAMES.filter((name) => typeof flat[name] !== 'string');
  if (missing.length > 0)
    throw new Error(
      `${file} lacks the outputs ${missing.join(', ')}. Deploy both stacks with this version and its --outputs-file.`,
    );
  return flat as unknown as Deployment;
}

/** What an SDK client needs to reach the deployment: nothing on AWS, endpoint and credentials on a local stack. */
export function clientOptions({ endpoint, credentials }: Deployment): object {
  return endpoint === undefined || credentials === undefined ? {} : { endpoint, credentials, region: 'us-east-1' };
}
