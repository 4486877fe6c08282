import type { ProjectId } from '../ids.ts';
import { HOUR_MILLIS } from './retention.ts';

/**
 * Where an identity lives in the log: project, shard and time bucket of its born hour. The placement of one project and
 * hour is pinned by a header item the first time anybody needs it and never changes after, so that a later change of the
 * project's shards cannot move an identity.
 */
export interface PartitionHeader {
  /** Number of shards in this hour, 1 or more. */
  readonly shards: number;
  /** Width of a time bucket in minutes: 60, or a divisor of 60 for hot projects. */
  readonly widthMinutes: number;
  /** Hot customers and over how many neighbouring shards each is spread by the hash of its ids. */
  readonly spread: Readonly<Record<string, number>>;
}

export const DEFAULT_HEADER: PartitionHeader = { shards: 1, widthMinutes: 60, spread: {} };

/** A place in the log: `partition` is unique within the project. */
export interface LogPartition {
  readonly project: ProjectId;
  readonly partition: string;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** The hour asked for last and its key: events come in the order of time, so nearly every question repeats the one before. */
let lastHour = { start: Number.NaN, key: '' };

/** The UTC hour that `millis` lies in, as text that sorts: `2026112103`. */
export function hourKey(millis: number): string {
  if (millis >= lastHour.start && millis < lastHour.start + HOUR_MILLIS) return lastHour.key;
  const at = new Date(millis);
  const key = `${at.getUTCFullYear()}${pad(at.getUTCMonth() + 1)}${pad(at.getUTCDate())}${pad(at.getUTCHours())}`;
  lastHour = { start: Math.floor(millis / HOUR_MILLIS) * HOUR_MILLIS, key };
  return key;
}

/** The UTC day that `micros` lies in: `20261121`. */
export function dayKey(micros: number): string {
  return hourKey(micros / 1000).slice(0, 8);
}

/** First millisecond of a day key such as `20261121`. */
export function dayStartMillis(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8)));
}

/** FNV-1a, 32 bits: spreads customers and ids over shards. Frozen, like everything that decides a placement. */
export function placementHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The shard of an identity under a pinned header. */
export function shardOf(header: PartitionHeader, customer: string, id: string): number {
  if (header.shards === 1) return 0;
  const spread = header.spread[customer] ?? 1;
  const offset = spread > 1 ? placementHash(id) % spread : 0;
  return (placementHash(customer) + offset) % header.shards;
}

/** The partition's name within its project: shard, a dot, and the born bucket: `0.2026112103` or `3.202611210315`. */
export function partitionName(header: PartitionHeader, shard: number, bornMillis: number): string {
  const hour = hourKey(bornMillis);
  if (header.widthMinutes === 60) return `${shard}.${hour}`;
  const minute = Math.floor((bornMillis % HOUR_MILLIS) / 60_000);
  return `${shard}.${hour}${pad(minute - (minute % header.widthMinutes))}`;
}

/** All partitions of the hour that begins at `hourMillis`, under its pinned header, always in the same order. */
export function partitionsOfHour(header: PartitionHeader, hourMillis: number): string[] {
  const buckets = 60 / header.widthMinutes;
  return Array.from({ length: header.shards * buckets }, (_, i) => {
    const bornMillis = hourMillis + (i % buckets) * (HOUR_MILLIS / buckets);
    return partitionName(header, Math.floor(i / buckets), bornMillis);
  });
}

const PARTITION_PATTERN = /^\d{1,9}\.\d{10}(?:\d{2})?$/;

/** Whether the text is one that `partitionName` makes. */
export function isPartitionName(text: string): boolean {
  return PARTITION_PATTERN.test(text);
}

/** The end of the born hour of a partition, in milliseconds: what every deadline of the partition counts from. */
export function partitionBornEnd(partition: string): number {
  const bucket = partition.slice(partition.indexOf('.') + 1);
  const hour = Date.UTC(
    Number(bucket.slice(0, 4)),
    Number(bucket.slice(4, 6)) - 1,
    Number(bucket.slice(6, 8)),
    Number(bucket.slice(8, 10)),
  );
  return hour + HOUR_MILLIS;
}
