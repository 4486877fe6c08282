import * as z from 'zod';
import {
  type DecideDeps,
  type DecideInput,
  discardByName,
  findParked,
  replayByName,
} from '../../../core/usage/decide-parked.ts';
import type { ParkingDecision } from '../../../core/usage/ports.ts';
import { jsonAnswer } from '../../shared/http.ts';
import { pageOf, type Route, route } from '../route.ts';
import { listOf, pageFields } from '../schemas.ts';
import { parkedAnswer, shownContent, shownParked, wholeParkedAnswer } from '../shown-parked.ts';

export function parkedRoutes(deps: DecideDeps): readonly Route[] {
  return [list(deps), find(deps), decide(deps, REPLAY), decide(deps, DISCARD)];
}

function list({ desk }: DecideDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/parked',
    scope: 'read',
    query: z.strictObject({ ...pageFields, status: z.enum(['parked', 'decided']).optional() }),
    docs: {
      tag: 'Usage',
      summary: 'List parked usage',
      description:
        'Usage that was accepted and could not be counted waits here, by name, until somebody replays or discards it. `status=decided` lists what was decided. Messages that nobody can read belong to no project; `npm run replay -- --project system` lists those.',
      answers: { 200: listOf(parkedAnswer) },
      errors: ['cursor_invalid'],
    },
    async handle({ project, query: { status, ...asked } }) {
      const page = pageOf(asked);
      const { items, cursor } = await (status === 'decided' ? desk.decisions(project, page) : desk.page(project, page));
      return jsonAnswer(200, { data: items.map(shownParked), nextCursor: cursor });
    },
  });
}

function find(deps: DecideDeps): Route {
  return route({
    method: 'GET',
    path: '/v1/parked/{name}',
    scope: 'read',
    docs: {
      tag: 'Usage',
      summary: 'Show a parked message and its events, or what was decided about it',
      answers: { 200: wholeParkedAnswer },
      errors: ['parked_not_found'],
    },
    async handle({ project, params }) {
      const message = await findParked({ project, name: params.name ?? '' }, deps);
      return jsonAnswer(200, { ...shownParked(message), content: shownContent(message) });
    },
  });
}

interface Decision {
  readonly verb: 'replay' | 'discard';
  readonly summary: string;
  readonly description: string;
  readonly errors: readonly string[];
  readonly apply: (input: DecideInput, deps: DecideDeps) => Promise<ParkingDecision>;
}

const REPLAY: Decision = {
  verb: 'replay',
  summary: 'Send a parked message to be counted again',
  description:
    'Its events pass the same identity check as ever, so replaying twice, in any way, counts nothing twice. Repair the cause first: what fails again is parked again.',
  errors: ['parked_not_found', 'parked_not_replayable', 'parked_discarded'],
  apply: replayByName,
};

const DISCARD: Decision = {
  verb: 'discard',
  summary: 'Give up a parked message',
  description:
    'Its events will not be counted. The record of it stays, with its content, the key that asked and the time.',
  errors: ['parked_not_found', 'parked_replayed'],
  apply: discardByName,
};

function decide(deps: DecideDeps, { verb, apply, ...docs }: Decision): Route {
  return route({
    method: 'POST',
    path: `/v1/parked/{name}/${verb}`,
    scope: 'admin',
    isCreating: true,
    docs: { tag: 'Usage', ...docs, answers: { 200: parkedAnswer } },
    async handle({ project, principal, params }) {
      const input = { project, name: params.name ?? '', by: principal.keyId };
      return jsonAnswer(200, shownParked(await apply(input, deps)));
    },
  });
}
