import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { secretArn } from '../gateway/arns.ts';
import { type Backend, jsonBackend, ServiceError, textOf } from '../gateway/backend.ts';
import type { LocalClock } from './clock.ts';

/**
 * Secrets Manager: CreateSecret, PutSecretValue, GetSecretValue, DescribeSecret, in one file that only its owner may read.
 * Live keys of a payment provider are refused: nothing on a laptop may move real money.
 *
 * Owns: the file and the stages AWSCURRENT and AWSPREVIOUS. Does not own: which secrets exist (local/template), rotation.
 */
export interface SecretsPart {
  readonly handle: Backend;
  /** Makes a secret unless it is there already, and returns its ARN. */
  ensure(name: string, value: () => string): string;
  /** Sets the value, making the secret when it is missing. Throws for a live key. */
  put(name: string, value: string): void;
  /** The current value; undefined when there is none. */
  read(name: string): string | undefined;
}

interface Version {
  readonly id: string;
  readonly text: string;
  /** ms since the epoch. */
  readonly at: number;
}

interface Secret {
  readonly name: string;
  readonly createdAt: number;
  /** The newest last; AWS keeps more, the stages name only two. */
  readonly versions: readonly Version[];
}

type Input = Readonly<Record<string, unknown>>;

const LIVE_KEY = /\b[sr]k_live/;

/** Opens the file, made with mode 0600 when missing. */
export function openSecrets(options: { file: string; clock: Pick<LocalClock, 'now'> }): SecretsPart {
  const store = new SecretFile(options.file, options.clock);
  return {
    handle: jsonBackend({
      CreateSecret: (input) => store.create(input),
      PutSecretValue: (input) => store.putValue(input),
      GetSecretValue: (input) => store.getValue(input),
      DescribeSecret: (input) => store.describe(input),
    }),
    ensure: (name, value) => {
      if (store.find(name) === undefined) store.write(name, value());
      return secretArn(name);
    },
    put: (name, value) => void store.write(name, value),
    read: (name) => store.find(name)?.versions.at(-1)?.text,
  };
}

class SecretFile {
  readonly #file: string;
  readonly #clock: Pick<LocalClock, 'now'>;
  readonly #secrets: Map<string, Secret>;

  constructor(file: string, clock: Pick<LocalClock, 'now'>) {
    this.#file = file;
    this.#clock = clock;
    mkdirSync(dirname(file), { recursive: true });
    const saved = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Secret[]) : [];
    this.#secrets = new Map(saved.map((secret) => [secret.name, secret]));
    if (existsSync(file)) chmodSync(file, 0o600);
  }

  /** By name, ARN, or ARN without its last six characters. */
  find(id: string): Secret | undefined {
    const direct = this.#secrets.get(id);
    if (direct !== undefined || !id.startsWith('arn:')) return direct;
    return [...this.#secrets.values()].find(({ name }) => {
      const arn = secretArn(name);
      return arn === id || arn.slice(0, -7) === id;
    });
  }

  create(input: Input): object {
    const name = textOf(input, 'Name');
    if (this.find(name) !== undefined) {
      throw new ServiceError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const version = this.write(name, textOf(input, 'SecretString'));
    return { ARN: secretArn(name), Name: name, VersionId: version.id };
  }

  putValue(input: Input): object {
    const { name } = this.#existing(input);
    const version = this.write(name, textOf(input, 'SecretString'));
    return { ARN: secretArn(name), Name: name, VersionId: version.id, VersionStages: ['AWSCURRENT'] };
  }

  getValue(input: Input): object {
    const { name, versions, createdAt } = this.#existing(input);
    const stage = input.VersionStage ?? 'AWSCURRENT';
    const byId = typeof input.VersionId === 'string' ? versions.find(({ id }) => id === input.VersionId) : undefined;
    const version = byId ?? (stage === 'AWSPREVIOUS' ? versions.at(-2) : versions.at(-1));
    const isKnownStage = stage === 'AWSCURRENT' || stage === 'AWSPREVIOUS';
    if (version === undefined || !isKnownStage) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${stage}`;
      throw new ServiceError('ResourceNotFoundException', message);
    }
    return {
      ARN: secretArn(name),
      Name: name,
      VersionId: version.id,
      SecretString: version.text,
      VersionStages: [version === versions.at(-1) ? 'AWSCURRENT' : 'AWSPREVIOUS'],
      CreatedDate: createdAt / 1000,
    };
  }

  describe(input: Input): object {
    const { name, createdAt, versions } = this.#existing(input);
    return {
      ARN: secretArn(name),
      Name: name,
      CreatedDate: createdAt / 1000,
      LastChangedDate: (versions.at(-1)?.at ?? createdAt) / 1000,
      VersionIdsToStages: Object.fromEntries(
        versions.slice(-2).map((version) => [version.id, [version === versions.at(-1) ? 'AWSCURRENT' : 'AWSPREVIOUS']]),
      ),
    };
  }

  write(name: string, text: string): Version {
    if (LIVE_KEY.test(text)) {
      throw new ServiceError(
        'InvalidParameterException',
        `The secret ${name} holds a live key (sk_live or rk_live). The local stack takes test keys only.`,
      );
    }
    const now = this.#clock.now();
    const old = this.find(name);
    const version: Version = { id: randomUUID(), text, at: now };
    const versions = [...(old?.versions ?? []), version].slice(-2);
    this.#secrets.set(name, { name, createdAt: old?.createdAt ?? now, versions });
    writeFileSync(`${this.#file}.new`, JSON.stringify([...this.#secrets.values()], null, 2), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    return version;
  }

  #existing(input: Input): Secret {
    const secret = this.find(textOf(input, 'SecretId'));
    if (secret !== undefined) return secret;
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }
}
