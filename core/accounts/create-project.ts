import { BillingError, invalid } from '../errors.ts';
import { parseProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { ProjectStore } from './ports.ts';
import type { Project } from './project.ts';

export interface CreateProjectInput {
  readonly id: string;
  readonly name: string;
  readonly mode: 'live' | 'test';
}

/**
 * Creates a project, or answers the one that is there when it has the same name and mode, so that a start can be repeated.
 * Throws `project_id_invalid`, `project_name_invalid`, or `project_exists` when the id is taken by a different one.
 */
export async function createProject(
  input: CreateProjectInput,
  deps: { projects: ProjectStore; clock: Clock },
): Promise<Project> {
  const id = parseProjectId(input.id);
  const name = input.name.trim();
  if (name.length < 1 || name.length > 255) {
    throw invalid('project_name_invalid', `Got a project name of ${name.length} characters; expected 1 to 255.`);
  }
  const project: Project = { id, name, mode: input.mode, createdAt: deps.clock.now() };
  try {
    await deps.projects.create(project);
    return project;
  } catch (error) {
    if (!(error instanceof BillingError) || error.code !== 'project_exists') throw error;
    const existing = await deps.projects.find(id);
    if (existing?.name === name && existing.mode === input.mode) return existing;
    throw error;
  }
}
