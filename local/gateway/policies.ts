import type { Caller } from './backend.ts';

/**
 * The shapes of IAM policies and small questions about them. Does not own: deciding (authorizer.ts).
 */
export type PolicyDocument = Readonly<Record<string, unknown>>;

export interface Principal extends Caller {
  readonly identityPolicies: readonly PolicyDocument[];
}

export interface StatementView {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditionKeys: readonly string[];
}

/** The name of the local runner itself, which no policy binds. */
export const ADMIN_NAME = 'local-admin';

interface RawStatement {
  readonly Effect?: string;
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The statements of a document, each list a list. */
export function statementsOf(policy: PolicyDocument): StatementView[] {
  return listOf(policy.Statement as RawStatement | readonly RawStatement[]).map((statement) => ({
    effect: statement.Effect ?? 'Deny',
    actions: listOf(statement.Action ?? []),
    resources: listOf(statement.Resource ?? []),
    conditionKeys: Object.values(statement.Condition ?? {}).flatMap((test) => Object.keys(test)),
  }));
}

/** A policy that hangs on a resource, as the template declares it. */
export interface AttachedPolicy {
  readonly resourceArn: string;
  readonly policy: PolicyDocument;
}

/** Who may invoke a function without a policy of its own (AWS::Lambda::Permission). */
export interface InvokePermission {
  readonly functionArn: string;
  /** A service such as `apigateway.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string | undefined;
}

/** One document per resource, out of all that hang on it. */
export function policiesByResource(
  attached: readonly AttachedPolicy[],
  permissions: readonly InvokePermission[] = [],
): Map<string, PolicyDocument> {
  const statements = new Map<string, unknown[]>();
  const add = (arn: string, more: readonly unknown[]) => statements.set(arn, [...(statements.get(arn) ?? []), ...more]);
  for (const { resourceArn, policy } of attached) add(resourceArn, listOf(policy.Statement));
  for (const permission of permissions) add(permission.functionArn, [statementOf(permission)]);
  return new Map([...statements].map(([arn, Statement]) => [arn, { Version: '2012-10-17', Statement }]));
}

function statementOf({ functionArn, principal, action, sourceArn, sourceAccount }: InvokePermission): object {
  const conditions = {
    ...(sourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
    ...(sourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': sourceAccount } }),
  };
  const isBound = Object.keys(conditions).length > 0;
  return {
    Effect: 'Allow',
    Principal: { Service: principal },
    Action: action,
    Resource: functionArn,
    ...(isBound ? { Condition: conditions } : {}),
  };
}

/** Every condition key that a document asks for. */
export function conditionKeysOf(policy: PolicyDocument): string[] {
  return statementsOf(policy).flatMap((statement) => statement.conditionKeys);
}

/** Whether an action pattern (`s3:Get*`) covers an action; case does not count. */
export function actionMatches(pattern: string, action: string): boolean {
  return glob(pattern.toLowerCase()).test(action.toLowerCase());
}

/** Whether one of the resource patterns covers a resource. */
export function resourceMatches(patterns: readonly string[], resource: string): boolean {
  return patterns.some((pattern) => glob(pattern).test(resource));
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's');
}
