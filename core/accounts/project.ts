import type { ProjectId } from '../ids.ts';
import type { Instant } from '../time/instant.ts';

/** An isolated billing space of an organization. Every key of every table starts with its id. */
export interface Project {
  readonly id: ProjectId;
  readonly name: string;
  readonly mode: 'live' | 'test';
  readonly createdAt: Instant;
}
