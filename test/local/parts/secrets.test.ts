import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roleArn, secretArn } from '../../../local/gateway/arns.ts';
import { ADMIN_ACCESS_KEY_ID, type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { openSecrets } from '../../../local/parts/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
const file = join(folder, 'secrets.json');
const clock = { now: () => 1_795_230_000_000 };
const secrets = openSecrets({ file, clock });
let gateway: Gateway;
const clientAs = (accessKeyId: string) =>
  new SecretsManagerClient({
    endpoint: gateway.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'local' },
  });
let client: SecretsManagerClient;

beforeAll(async () => {
  const reader = {
    name: 'reader',
    arn: roleArn('reader'),
    identityPolicies: [
      {
        Statement: {
          Effect: 'Allow',
          Action: 'secretsmanager:GetSecretValue',
          Resource: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/pepper-??????',
        },
      },
    ],
  };
  gateway = await startGateway({
    principals: new Map([['READER', reader]]),
    backends: { secretsmanager: secrets.handle },
  });
  client = clientAs(ADMIN_ACCESS_KEY_ID);
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

test('a secret is created once, read by name or ARN, and its former value stays readable after a change', async () => {
  const made = await client.send(new CreateSecretCommand({ Name: 'shop/stripe', SecretString: 'sk_test_1' }));
  expect(made.ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:shop\/stripe-[0-9a-f]{6}$/);
  await client.send(new PutSecretValueCommand({ SecretId: 'shop/stripe', SecretString: 'sk_test_2' }));
  const read = (SecretId: string, VersionStage?: string) =>
    client.send(new GetSecretValueCommand({ SecretId, VersionStage })).then(({ SecretString }) => SecretString);
  expect(await read('shop/stripe')).toBe('sk_test_2');
  expect(await read(made.ARN ?? '')).toBe('sk_test_2');
  expect(await read('arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/stripe')).toBe('sk_test_2');
  expect(await read('shop/stripe', 'AWSPREVIOUS')).toBe('sk_test_1');
  const described = await client.send(new DescribeSecretCommand({ SecretId: 'shop/stripe' }));
  expect(described.CreatedDate).toEqual(new Date(1_795_230_000_000));
  await expect(client.send(new CreateSecretCommand({ Name: 'shop/stripe', SecretString: 'x' }))).rejects.toMatchObject({
    name: 'ResourceExistsException',
  });
  await expect(client.send(new GetSecretValueCommand({ SecretId: 'shop/none' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('a live key is refused and never reaches the file', async () => {
  for (const value of ['sk_live_abc', '{"api_key":"rk_live_abc"}']) {
    await expect(
      client.send(new PutSecretValueCommand({ SecretId: 'shop/stripe', SecretString: value })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException', message: expect.stringContaining('live key') });
    expect(() => secrets.put('shop/other', value)).toThrow('takes test keys only');
  }
  expect(readFileSync(file, 'utf8')).not.toContain('_live');
});

test('the file is for its owner only, and holds the secrets over a restart', () => {
  expect(secrets.ensure('shop/pepper', () => 'first')).toBe(secretArn('shop/pepper'));
  secrets.ensure('shop/pepper', () => 'second');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(openSecrets({ file, clock }).read('shop/pepper')).toBe('first');
});

test('a grant on the ARN with six wildcards opens exactly that secret, by name and by partial ARN', async () => {
  const reader = clientAs('READER');
  for (const SecretId of ['shop/pepper', 'arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/pepper']) {
    expect((await reader.send(new GetSecretValueCommand({ SecretId }))).SecretString).toBe('first');
  }
  await expect(reader.send(new GetSecretValueCommand({ SecretId: 'shop/stripe' }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining(
      'not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager',
    ),
  });
});
