import type { ProjectId } from '../ids.ts';
import type { Rate } from './token-bucket.ts';

/** What is counted: events that are sent, and requests of every other kind. */
export type LimitedKind = 'events' | 'requests';

/** A limit of each kind for all of a project, and for one API key of it. */
export interface RateLimits {
  readonly project: Readonly<Record<LimitedKind, Rate>>;
  readonly key: Readonly<Record<LimitedKind, Rate>>;
}

type SomeRates = Readonly<Partial<Record<LimitedKind, Rate | undefined>>>;

/** What a project has set; what is absent is as the deployment has it. */
export interface RateLimitSettings {
  readonly project?: SomeRates | undefined;
  readonly keys?: readonly ({ readonly key: string } & SomeRates)[] | undefined;
}

export interface RateLimitStore {
  find(project: ProjectId): Promise<RateLimitSettings>;
  put(project: ProjectId, settings: RateLimitSettings): Promise<void>;
}

/** The limits that count for one key of a project. */
export function limitsFor(settings: RateLimitSettings, key: string, defaults: RateLimits): RateLimits {
  const own = settings.keys?.find((entry) => entry.key === key);
  const rates = (kind: LimitedKind) => ({
    project: settings.project?.[kind] ?? defaults.project[kind],
    key: own?.[kind] ?? defaults.key[kind],
  });
  const [events, requests] = [rates('events'), rates('requests')];
  return {
    project: { events: events.project, requests: requests.project },
    key: { events: events.key, requests: requests.key },
  };
}
