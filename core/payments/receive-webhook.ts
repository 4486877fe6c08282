import type { ProjectStore } from '../accounts/ports.ts';
import { BillingError, notFound } from '../errors.ts';
import { type ProjectId, parseProjectId } from '../ids.ts';
import type { Clock } from '../time/clock.ts';
import type { Instant } from '../time/instant.ts';
import type { WebhookEvents, WebhookNotice } from './ports.ts';

export type WebhookVerdict =
  | { readonly result: 'verified'; readonly notice: WebhookNotice }
  /** `signature`: not the provider's, altered or too old. The others are the provider's own and wrong for this project. */
  | { readonly result: 'refused'; readonly why: 'signature' | 'livemode' | 'api_version' | 'shape' };

export interface ReceiveWebhookDeps {
  readonly projects: Pick<ProjectStore, 'find'>;
  /** Checks the bytes as they came; null when the project has no account at the provider. */
  readonly verify: (input: {
    readonly project: ProjectId;
    readonly body: Uint8Array;
    readonly signature: string;
    readonly at: Instant;
  }) => Promise<WebhookVerdict | null>;
  readonly events: Pick<WebhookEvents, 'receive'>;
  readonly queue: { send(notice: WebhookNotice): Promise<void> };
  readonly clock: Clock;
}

export interface ReceiveWebhookInput {
  readonly project: string;
  readonly body: Uint8Array;
  readonly signature: string;
}

const REFUSALS = {
  signature: [
    'webhook_signature_invalid',
    'The signature is missing, too old, or not made with a signing secret of this project.',
  ],
  livemode: ['webhook_livemode_wrong', 'The event is of another mode (live or test) than this project.'],
  api_version: [
    'webhook_api_version_wrong',
    'The event is of another API version; set the version of the webhook endpoint at the provider.',
  ],
  shape: ['webhook_shape_unknown', 'The event is not about an object.'],
} as const;

/**
 * Takes a webhook in: verified over its bytes, kept by its event id, queued. Answers `known` when it was acted on before and
 * needs no queue. Throws `not-found` for a project that does not exist or has no account, `invalid` (`webhook_*`) for what the
 * provider did not send to this project, and whatever storing or queueing throws: then the provider sends it again.
 */
export async function receiveWebhook(
  input: ReceiveWebhookInput,
  deps: ReceiveWebhookDeps,
): Promise<'queued' | 'known'> {
  const project = await knownProject(input.project, deps);
  const at = deps.clock.now();
  const verdict = await deps.verify({ project, body: input.body, signature: input.signature, at });
  if (verdict === null) throw nobody();
  if (verdict.result === 'refused') {
    const [code, message] = REFUSALS[verdict.why];
    throw new BillingError({ kind: 'invalid', code, message });
  }
  if ((await deps.events.receive(verdict.notice, at)) === 'processed') return 'known';
  await deps.queue.send(verdict.notice);
  return 'queued';
}

async function knownProject(text: string, deps: ReceiveWebhookDeps): Promise<ProjectId> {
  let project: ProjectId;
  try {
    project = parseProjectId(text);
  } catch {
    throw nobody();
  }
  if ((await deps.projects.find(project)) === undefined) throw nobody();
  return project;
}

/** One answer for every address that takes no webhooks: it does not tell which projects exist. */
function nobody(): BillingError {
  return notFound('not_found', 'There is nothing here.');
}
