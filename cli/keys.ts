import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Command, InvalidArgumentError } from 'commander';
import { apiKeyStore } from '../adapters/dynamodb/api-keys.ts';
import { projectStore } from '../adapters/dynamodb/projects.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { KeyMode } from '../core/accounts/api-key.ts';
import { type ApiKeyDeps, createApiKey, revokeApiKey, rotateApiKey } from '../core/accounts/create-api-key.ts';
import { createProject } from '../core/accounts/create-project.ts';
import { parseProjectId } from '../core/ids.ts';
import { parseInstant } from '../core/time/instant.ts';
import { clientOptions, LOCAL_OUTPUTS, readDeployment } from './deployment.ts';
import { textTable } from './text-table.ts';

/** `npm run keys`: the first key of a deployment, and all that can happen to keys later. A key's text is shown once. */
interface Target {
  readonly outputs: string;
  readonly project: string;
}

function depsOf(outputs: string): ApiKeyDeps & { projects: ReturnType<typeof projectStore> } {
  const deployment = readDeployment(outputs);
  const client = new DynamoDBClient(clientOptions(deployment));
  const secrets = new SecretsManagerClient(clientOptions(deployment));
  return {
    keys: apiKeyStore(client, deployment.BillingTable),
    projects: projectStore(client, deployment.BillingTable),
    clock: systemClock,
    random: (length) => randomBytes(length),
    pepper: async () =>
      (await secrets.send(new GetSecretValueCommand({ SecretId: deployment.PepperSecret }))).SecretString ?? '',
  };
}

function modeOf(text: string): KeyMode {
  if (text === 'live' || text === 'test') return text;
  throw new Error(`Got mode ${text}; expected live or test.`);
}

function hours(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > 720)
    throw new InvalidArgumentError('expected a whole number from 0 to 720');
  return count;
}

function withTarget(command: Command): Command {
  return command
    .requiredOption('-p, --project <id>', 'project, such as prj_acme')
    .option('--outputs <file>', 'the outputs of the deployment', LOCAL_OUTPUTS);
}

const program = new Command('npm run keys --').description('Creates, lists, rotates and revokes API keys.');

withTarget(program.command('create'))
  .description('Creates a key, and its project if there is none. The key is shown once.')
  .option('--name <name>', 'what the key is for', 'first key')
  .option('--scopes <list>', 'of ingest, read, write, billing, admin', 'ingest,read,write,billing,admin')
  .option(
    '--mode <mode>',
    'live or test, for a new project (test when absent); its keys have the mode of their project',
  )
  .option('--project-name <name>', 'name of a new project')
  .option('--expires <time>', 'RFC 3339 time from which the key is refused')
  .action(
    async (
      options: Target & { name: string; scopes: string; mode?: string; projectName?: string; expires?: string },
    ) => {
      const deps = depsOf(options.outputs);
      const project = parseProjectId(options.project);
      const known = await deps.projects.find(project);
      const mode = modeOf(options.mode ?? known?.mode ?? 'test');
      if (known === undefined) await createProject({ id: project, name: options.projectName ?? project, mode }, deps);
      else if (known.mode !== mode) throw new Error(`Got mode ${mode}; ${project} is a ${known.mode} project.`);
      const expiresAt = options.expires === undefined ? null : parseInstant(options.expires);
      const { key, record } = await createApiKey(
        { project, mode, name: options.name, scopes: options.scopes.split(','), expiresAt },
        deps,
      );
      console.log(
        `Key ${record.id} of ${project} with the scopes ${record.scopes.join(', ')}. It is shown this once:\n\n${key}\n`,
      );
    },
  );

withTarget(program.command('list'))
  .description('Lists the keys of a project.')
  .action(async (options: Target) => {
    const { keys, projects } = depsOf(options.outputs);
    const project = parseProjectId(options.project);
    if ((await projects.find(project)) === undefined) throw new Error(`There is no project ${project}.`);
    const rows: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await keys.list(project, { limit: 100, cursor });
      for (const key of page.items)
        rows.push([key.id, key.name, key.scopes.join(' '), key.createdAt, key.expiresAt ?? '', key.revokedAt ?? '']);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    console.log(textTable({ head: ['id', 'name', 'scopes', 'created', 'expires', 'revoked'], rows }));
  });

withTarget(program.command('rotate <id>'))
  .description('Replaces a key; the old one works on for a while.')
  .option('--overlap-hours <hours>', 'how long the old key still works, 0 to 720', hours, 24)
  .action(async (id: string, options: Target & { overlapHours: number }) => {
    const input = { project: parseProjectId(options.project), id, overlapHours: options.overlapHours };
    const { key, record, replaced } = await rotateApiKey(input, depsOf(options.outputs));
    console.log(
      `Key ${record.id} replaces ${replaced.id}, which works until ${replaced.expiresAt}. It is shown this once:\n\n${key}\n`,
    );
  });

withTarget(program.command('revoke <id>'))
  .description('Refuses a key from now on; workers that have just seen it notice within 30 seconds.')
  .action(async (id: string, options: Target) => {
    const record = await revokeApiKey({ project: parseProjectId(options.project), id }, depsOf(options.outputs));
    console.log(`Key ${record.id} is revoked since ${record.revokedAt}.`);
  });

program.addHelpText(
  'after',
  `
Examples:
  npm run keys -- create --project prj_demo --scopes ingest,read
  npm run keys -- create --project prj_acme --project-name Acme --mode live --outputs outputs.json
  npm run keys -- rotate 4k2m9x1c7b3d --project prj_demo --overlap-hours 48
`,
);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
