/** Every role of the app as a caller of the gateway: its fake access key and its policies. */
import { createHash } from 'node:crypto';
import type { PolicyDocument, Principal } from '../gateway/policies.ts';
import { TemplateError } from './json.ts';
import type { AppModel } from './model.ts';

/** AWS managed policies that allow nothing the local stack asks about. */
const LOGS_ONLY: ReadonlySet<string> = new Set(['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']);

/** The access key a role's functions call with; derived, so that it is the same after a restart. */
export function accessKeyOf(roleArn: string): string {
  return `LOCAL${createHash('sha256').update(roleArn).digest('hex').slice(0, 15).toUpperCase()}`;
}

/** By access key. @throws TemplateError for an AWS managed policy whose content is not known */
export function principalsOf(app: AppModel): ReadonlyMap<string, Principal> {
  return new Map(
    app.roles.map((role) => {
      const unknown = role.managedPolicyArns.filter((arn) => !LOGS_ONLY.has(arn));
      if (unknown.length > 0) throw new TemplateError(`role ${role.name}: ${unknown.join(', ')} is not known locally`);
      const identityPolicies = role.policies as unknown as readonly PolicyDocument[];
      return [accessKeyOf(role.arn), { name: role.name, arn: role.arn, identityPolicies }];
    }),
  );
}

/** Policies that hang on queues and topics, by ARN; several on one resource become one. */
export function resourcePoliciesOf(app: AppModel): ReadonlyMap<string, PolicyDocument> {
  const documents = new Map<string, PolicyDocument>();
  for (const { resourceArn, policy } of app.resourcePolicies) {
    const before = documents.get(resourceArn)?.Statement ?? [];
    const Statement = [before, policy.Statement ?? []].flat();
    documents.set(resourceArn, { Version: '2012-10-17', Statement });
  }
  return documents;
}
