import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { invalid } from '../../core/errors.ts';
import { type JobId, type ProjectId, parseProjectId } from '../../core/ids.ts';
import type { JobQueue } from '../../core/usage/usage-job.ts';

/** The queue that says which job has a step to do: its name, nothing else. */
export function jobQueue(client: SQSClient, url: string): JobQueue {
  return {
    async send({ project, id }, delaySeconds) {
      const MessageBody = JSON.stringify({ project_id: project, job_id: id });
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody, DelaySeconds: delaySeconds }));
    },
  };
}

/** The job that a message names. Throws `invalid` (code `message_unreadable`) for anything `send` did not write. */
export function jobOfMessage(body: string): { project: ProjectId; id: JobId } {
  const message = JSON.parse(body) as { project_id?: unknown; job_id?: unknown };
  const { project_id: project, job_id: id } = message;
  if (typeof project !== 'string' || typeof id !== 'string')
    throw invalid('message_unreadable', 'A message of the job queue does not name a project and a job.');
  return { project: parseProjectId(project), id: id as JobId };
}
