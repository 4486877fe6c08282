import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { apiKeyStore } from '../../adapters/dynamodb/api-keys.ts';
import { projectStore } from '../../adapters/dynamodb/projects.ts';
import { clientOptions, type Deployment } from '../../cli/deployment.ts';
import { createApiKey } from '../../core/accounts/create-api-key.ts';
import { createProject } from '../../core/accounts/create-project.ts';
import { instantFromMillis } from '../../core/time/instant.ts';
import type { LocalClock } from '../parts/clock.ts';
import { DEMO_CHANGES, DEMO_CUSTOMERS, DEMO_METERS, DEMO_PLANS, DEMO_PROJECT } from './demo-catalog.ts';

/** What the demo remembers over restarts, in the state folder, readable by its owner only. */
export interface DemoState {
  readonly apiKey: string;
  /** The month that was billed, once it was. */
  readonly billed: string | null;
  /** Digest of the catalog that the demo began with. */
  readonly catalog: string;
}

const CATALOG = createHash('sha256')
  .update(JSON.stringify([DEMO_METERS, DEMO_PLANS, DEMO_CUSTOMERS, DEMO_CHANGES]))
  .digest('hex');

/** Throws when a state was begun with another catalog: its invoices would never agree with today's recount. */
export function refuseOtherCatalog({ catalog }: DemoState): void {
  if (catalog !== CATALOG)
    throw new Error('The state is of another version of the demo; begin anew with npm start -- --reset.');
}

function fileOf(stateDir: string): string {
  return path.join(stateDir, 'demo.json');
}

export function writeDemoState(stateDir: string, state: DemoState): void {
  writeFileSync(fileOf(stateDir), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

/** The demo project with an API key, made at the first start. The key of a local demo is kept, so that a restart can show it. */
export async function demoProject(
  stateDir: string,
  deployment: Deployment,
  localClock: LocalClock,
): Promise<DemoState> {
  if (existsSync(fileOf(stateDir))) return JSON.parse(readFileSync(fileOf(stateDir), 'utf8')) as DemoState;
  const client = new DynamoDBClient(clientOptions(deployment));
  const secrets = new SecretsManagerClient(clientOptions(deployment));
  const clock = { now: () => instantFromMillis(localClock.now()) };
  const project = await createProject(DEMO_PROJECT, { projects: projectStore(client, deployment.BillingTable), clock });
  const { key } = await createApiKey(
    {
      project: project.id,
      mode: project.mode,
      name: 'demo',
      scopes: ['ingest', 'read', 'write', 'billing', 'admin'],
      expiresAt: null,
    },
    {
      keys: apiKeyStore(client, deployment.BillingTable),
      clock,
      random: (length) => randomBytes(length),
      pepper: async () =>
        (await secrets.send(new GetSecretValueCommand({ SecretId: deployment.PepperSecret }))).SecretString ?? '',
    },
  );
  client.destroy();
  secrets.destroy();
  const state: DemoState = { apiKey: key, billed: null, catalog: CATALOG };
  writeDemoState(stateDir, state);
  return state;
}
