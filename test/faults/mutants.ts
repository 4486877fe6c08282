import type { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { instantFromMillis } from '../../core/time/instant.ts';
import { decodeChunkBody, encodeChunkBody, type StoredChunk } from '../../core/usage/chunk.ts';
import type { LogPartition } from '../../core/usage/log-partition.ts';
import type { UsageLog, UsageViews } from '../../core/usage/ports.ts';
import { LostCall } from '../support/memory-dynamodb.ts';
import type { Mutation, Workers } from './schedule.ts';
import { START_MILLIS, TABLES } from './world.ts';

/**
 * The rules of the usage log, each taken away. Every one of these must make the fault schedules fail, or the schedules prove
 * nothing. A mutant changes either the calls that reach the database (`client`) or how the workers are wired (`workers`).
 */
export interface Mutant {
  readonly name: string;
  readonly client?: (client: DynamoDBClient) => DynamoDBClient;
  readonly workers?: Mutation;
}

/** Puts on `table` lose their condition. */
function withoutCondition(table: string, condition: string): NonNullable<Mutant['client']> {
  return (client) => {
    const send = (command: PutItemCommand) => {
      const { input } = command;
      if (input.TableName !== table || input.ConditionExpression !== condition) return client.send(command);
      const { ConditionExpression, ExpressionAttributeValues, ReturnValuesOnConditionCheckFailure, ...bare } = input;
      return client.send(Object.assign(Object.create(Object.getPrototypeOf(command)), command, { input: bare }));
    };
    return { send } as unknown as DynamoDBClient;
  };
}

function withLog(change: (log: UsageLog) => Partial<UsageLog>): Mutation {
  return (workers) => ({
    ...workers,
    append: { ...workers.append, log: { ...workers.append.log, ...change(workers.append.log) } },
  });
}

function withViews(change: (views: UsageViews, workers: Workers) => Partial<UsageViews>): Mutation {
  return (workers) => ({
    ...workers,
    fold: { ...workers.fold, views: { ...workers.fold.views, ...change(workers.fold.views, workers) } },
  });
}

async function headOf(log: UsageLog, place: LogPartition): Promise<StoredChunk | undefined> {
  let head: StoredChunk | undefined;
  for await (const page of log.readChunks(place, 0)) head = page.at(-1);
  return head;
}

const registryAfterChunk: Mutation = (workers) => {
  const { log, registry } = workers.append;
  let pending: (() => Promise<void>)[] = [];
  return {
    ...workers,
    append: {
      ...workers.append,
      registry: { ...registry, register: async (...entry) => void pending.push(() => registry.register(...entry)) },
      log: {
        ...log,
        putChunk: async (place, chunk) => {
          const answer = await log.putChunk(place, chunk);
          for (const register of pending.splice(0)) await register();
          pending = [];
          return answer;
        },
      },
    },
  };
};

/** Folding reads whatever it gets: some chunks are not there yet, and what lies above them is applied all the same. */
const readsWithHoles: Mutation = (workers, world) => {
  const { log } = workers.fold;
  async function* readChunks(place: LogPartition, sequence: number) {
    for await (const page of log.readChunks(place, sequence)) {
      yield page.filter((chunk, i) => i === page.length - 1 || chunk.sequence % 2 === 0 || world.random.chance(0.7));
    }
  }
  return { ...workers, fold: { ...workers.fold, log: { ...log, readChunks } } };
};

/** Append sees every partition as young, whatever the clock says. */
const noAppendDeadline: Mutation = (workers, world) => {
  const clock = { now: () => instantFromMillis(Math.min(world.millis, START_MILLIS + 20 * 86_400_000)) };
  return { ...workers, append: { ...workers.append, clock } };
};

/** A rebuild writes over whatever is there, as if nobody had folded since it read. */
const unguardedRebuild: Mutation = (workers) => {
  const { views } = workers.rebuild;
  const writeView: UsageViews['writeView'] = async (stored) => {
    const { project, customer, day, part } = stored.key;
    const items = await views.readViews(project, customer, day, day);
    const version = items.find(({ key }) => key.part === part)?.version ?? 0;
    return views.writeView({ ...stored, version });
  };
  return { ...workers, rebuild: { ...workers.rebuild, views: { ...views, writeView } } };
};

export const MUTANTS: readonly Mutant[] = [
  { name: 'no append condition', client: withoutCondition(TABLES.log, 'attribute_not_exists(pk)') },
  { name: 'view without version', client: withoutCondition(TABLES.views, 'v = :v') },
  { name: 'claim overwritten', client: withoutCondition(TABLES.claims, 'attribute_not_exists(pk)') },
  {
    name: 'view without cursor',
    workers: withViews((views) => ({
      readView: async (key) => {
        const stored = await views.readView(key);
        return { ...stored, view: { ...stored.view, cursors: {} } };
      },
    })),
  },
  {
    name: 'unknown taken as success',
    workers: withLog((log) => ({
      putChunk: (place, chunk) =>
        log.putChunk(place, chunk).catch((error: unknown) => {
          if (error instanceof LostCall && error.message !== 'dead') return 'stored' as const;
          throw error;
        }),
    })),
  },
  {
    name: "refused retry taken as one's own",
    workers: withLog((log) => ({
      putChunk: async (place, chunk) => {
        await log.putChunk(place, chunk);
        return 'stored';
      },
    })),
  },
  { name: 'registry after chunk', workers: registryAfterChunk },
  {
    name: 'fold cursor before items',
    workers: withViews((views, workers) => ({
      readCursor: async (place) => {
        const cursor = await views.readCursor(place);
        const head = await headOf(workers.fold.log, place);
        if (head !== undefined)
          await views.advanceCursor(place, {
            sequence: head.sequence,
            total: head.total,
            foldedAtMillis: head.appendedAtMillis,
            days: 1,
          });
        return cursor;
      },
    })),
  },
  {
    name: 'full view left open to what was parked',
    workers: withViews((views) => ({
      writeView: async (stored) => (stored.view.closed === undefined ? views.writeView(stored) : 'stored'),
    })),
  },
  {
    name: 'void ignored for a later target',
    workers: withLog((log) => ({
      putChunk: (place, chunk) => {
        const body = encodeChunkBody({ ...decodeChunkBody(chunk.body), dead: new Set() });
        return log.putChunk(place, { ...chunk, body });
      },
    })),
  },
  {
    name: 'void undone whether or not its event had counted',
    workers: withLog((log) => ({
      putChunk: (place, chunk) => {
        const content = decodeChunkBody(chunk.body);
        const voids = content.voids.map((entry) => ({ ...entry, isUndoing: true }));
        return log.putChunk(place, { ...chunk, body: encodeChunkBody({ ...content, voids }) });
      },
    })),
  },
  { name: 'reads with holes', workers: readsWithHoles },
  { name: 'append deadline missing', workers: noAppendDeadline },
  { name: 'unguarded rebuild', workers: unguardedRebuild },
];
