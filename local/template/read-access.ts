/** Who may do what: roles with all their policies, and the policies that hang on resources. */
import { arnOf, type DeclaredResource } from './declared-resource.ts';
import type { JsonObject } from './json.ts';
import { objectAt, TemplateError } from './json.ts';
import type { ResourcePolicyModel, RoleModel } from './model.ts';

interface AttachedPolicy {
  readonly roleNames: readonly string[];
  readonly arn: string | undefined;
  readonly document: JsonObject;
}

export function readRoles(resources: readonly DeclaredResource[]): readonly RoleModel[] {
  const policies = resources
    .filter((resource) => resource.type === 'AWS::IAM::Policy' || resource.type === 'AWS::IAM::ManagedPolicy')
    .map(readPolicy);
  const roles = resources
    .filter((resource) => resource.type === 'AWS::IAM::Role')
    .map((role) => readRole(role, policies));
  const names = new Set(roles.map((role) => role.name));
  for (const name of policies.flatMap((policy) => policy.roleNames)) {
    if (!names.has(name)) throw new TemplateError(`a policy is attached to role ${name}, which no stack declares`);
  }
  return roles;
}

function readPolicy(resource: DeclaredResource): AttachedPolicy {
  const props = resource.properties;
  props.ignore('PolicyName', 'ManagedPolicyName', 'Description', 'Path');
  if (props.list('Users').length + props.list('Groups').length > 0) {
    throw new TemplateError(`${props.where}: policies of users and groups are not known locally`);
  }
  const policy = {
    roleNames: props.texts('Roles'),
    arn: resource.attributes.PolicyArn,
    document: objectAt(props.raw('PolicyDocument'), props.where),
  };
  props.done();
  return policy;
}

function readRole(resource: DeclaredResource, attached: readonly AttachedPolicy[]): RoleModel {
  const props = resource.properties;
  props.ignore('RoleName', 'Description', 'Path', 'Tags', 'MaxSessionDuration');
  const inline = props.objects('Policies').map((policy) => {
    policy.ignore('PolicyName');
    return objectAt(policy.raw('PolicyDocument'), policy.where);
  });
  const arns = props.texts('ManagedPolicyArns');
  const own = attached.filter((policy) => policy.roleNames.includes(resource.name) || arns.includes(policy.arn ?? ''));
  const declared = new Set(attached.map((policy) => policy.arn));
  const role = {
    arn: arnOf(resource),
    name: resource.name,
    trust: objectAt(props.raw('AssumeRolePolicyDocument'), props.where),
    policies: [...inline, ...own.map((policy) => policy.document)],
    managedPolicyArns: arns.filter((arn) => !declared.has(arn)),
  };
  props.done();
  return role;
}

/** `targetsProperty` holds the queue URLs, topic ARNs ...; `arnFor` turns one of them into the ARN the policy guards. */
export function readResourcePolicies(
  resource: DeclaredResource,
  targetsProperty: string,
  arnFor: (target: string) => string,
): readonly ResourcePolicyModel[] {
  const props = resource.properties;
  const policy = objectAt(props.raw('PolicyDocument'), props.where);
  const targets = props.texts(targetsProperty);
  props.done();
  return targets.map((target) => ({ resourceArn: arnFor(target), policy }));
}
