import type { Instant } from '../time/instant.ts';

/** The usage of one customer over a span, as it was when it was read: what rating rates and evidence keeps. */
export interface UsageSnapshot {
  readonly customer: string;
  /** Half-open, both on a quarter hour. */
  readonly from: Instant;
  readonly to: Instant;
  readonly slices: readonly UsageSlice[];
  readonly views: readonly ViewPosition[];
}

/** A meter's quantity for one combination of dimension values. */
export interface UsageSlice {
  readonly meter: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Exact decimal. */
  readonly quantity: string;
  /** For `latest`: when the quantity was reported, in microseconds, and the identity that breaks ties. */
  readonly latestAt?: number;
  readonly latestBy?: string;
  /** For `transactions`: every single amount behind the quantity, which is their sum; by (occurredAtMicros, value). */
  readonly transactions?: readonly Transaction[];
  /** For `average`: what the quantity is the quotient of. Exact decimals. */
  readonly mean?: { readonly sum: string; readonly readings: string };
  /** For `unique_count`: the different values behind the quantity. */
  readonly unique?: UniqueValues;
  /** For `time_weighted_sum`: what the quantity is the quotient of. */
  readonly timed?: TimedLevel;
  /** For a sum or time-weighted sum that does not begin at zero: the level with which the span began. Exact decimal. */
  readonly carried?: string;
}

/** Together they are the quantity, so that slices unite exactly. */
export interface UniqueValues {
  /** A set of members in base64 (unique-members.ts). */
  readonly members: string;
  /** How many values beside them are in no other slice that this one is ever united with. */
  readonly alone: string;
}

export interface TimedLevel {
  /** Exact decimal: the level times the microseconds it held, over the span. */
  readonly integral: string;
  /** The microseconds by which the integral is divided. */
  readonly overMicros: number;
  /** Exact decimal: the level at the end of the span. */
  readonly level: string;
}

/** One event's amount, for prices that need single events: a fee per event, free events, bounds per transaction. */
export interface Transaction {
  /** Exact decimal; may be negative (a correction). */
  readonly value: string;
  /** When it happened, in microseconds since 1970. */
  readonly occurredAtMicros: number;
}

/** Which version of a view was read, and how far into the log it went: the proof behind a frozen quantity. */
export interface ViewPosition {
  readonly key: string;
  readonly version: number;
  readonly cursors: Readonly<Record<string, number>>;
  /** Of the views before a span, which a carried level came from, one entry stands for all: `version` says how many, this is their SHA-256. */
  readonly sha256?: string;
}
