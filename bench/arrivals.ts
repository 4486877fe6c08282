import { type SentEvent, type Spread, smallEvent } from './workload.ts';

/** Requests at an even pace: when each arrives, and its events, made while the sender gathered them. */
export interface ArrivalInput {
  readonly startMillis: number;
  readonly eventsPerSecond: number;
  readonly eventsPerRequest: number;
  readonly seconds: number;
  readonly random: () => number;
  readonly ids: 'carried' | 'foreign';
  readonly customers: Spread;
}

export interface Arrival {
  readonly atMillis: number;
  readonly events: readonly SentEvent[];
}

export function* arrivals(input: ArrivalInput): Generator<Arrival> {
  const { eventsPerSecond, eventsPerRequest, startMillis, random, ids, customers } = input;
  const requests = Math.max(1, Math.floor((input.seconds * eventsPerSecond) / eventsPerRequest));
  const spacing = 1000 / eventsPerSecond;
  for (let request = 0; request < requests; request++) {
    const first = request * eventsPerRequest;
    const events = Array.from({ length: eventsPerRequest }, (_, i) =>
      smallEvent({ millis: Math.floor(startMillis + (first + i) * spacing), random, ids, customers }),
    );
    yield { atMillis: Math.floor(startMillis + (first + eventsPerRequest) * spacing), events };
  }
}
