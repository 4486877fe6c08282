/** May an AWS service act on a resource? Asks the resource's own policy: a function's permissions, a queue's policy. */
import { isObject, type Json, type JsonObject } from '../template/json.ts';
import type { InvokePermissionModel, ResourcePolicyModel } from '../template/model.ts';

export interface InvokeQuestion {
  readonly functionArn: string;
  /** Such as `apigateway.amazonaws.com`. */
  readonly service: string;
  /** ARN of the route, rule or bus that wants to invoke. */
  readonly sourceArn: string;
}

export function mayInvoke(permissions: readonly InvokePermissionModel[], question: InvokeQuestion): boolean {
  return permissions.some(
    (permission) =>
      permission.functionArn === question.functionArn &&
      permission.principal === question.service &&
      permission.action === 'lambda:InvokeFunction' &&
      (permission.sourceArn === undefined || isLike(permission.sourceArn, question.sourceArn)),
  );
}

/** Does the queue's policy let `service` send on behalf of `sourceArn`? Knows the statements CDK writes for rules. */
export function maySend(
  policies: readonly ResourcePolicyModel[],
  queueArn: string,
  { service, sourceArn }: Pick<InvokeQuestion, 'service' | 'sourceArn'>,
): boolean {
  return policies
    .filter((policy) => policy.resourceArn === queueArn)
    .flatMap((policy) => list(policy.policy.Statement ?? []))
    .filter(isObject)
    .some((statement) => {
      const principal = statement.Principal;
      return (
        statement.Effect === 'Allow' &&
        isObject(principal) &&
        list(principal.Service ?? []).includes(service) &&
        list(statement.Action ?? []).some((action) => action === 'sqs:SendMessage' || action === 'sqs:*') &&
        namesSource(statement.Condition, sourceArn)
      );
    });
}

function namesSource(condition: Json | undefined, sourceArn: string): boolean {
  if (condition === undefined) return true;
  if (!isObject(condition)) return false;
  return Object.entries(condition).every(
    ([operator, keys]) =>
      /^Arn(Equals|Like)$/.test(operator) &&
      isObject(keys) &&
      Object.entries(keys as JsonObject).every(
        ([key, value]) =>
          key.toLowerCase() === 'aws:sourcearn' && list(value).some((arn) => isLike(String(arn), sourceArn)),
      ),
  );
}

function list(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}

/** `*` and `?` as in IAM. */
function isLike(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
