import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Accepts one finding of the AwsSolutions rules for one resource (and what is inside it), with the reason beside it. */
export function accept(resource: IConstruct, rule: `AwsSolutions-${string}`, reason: string): void {
  Validations.of(resource).acknowledge({ id: rule, reason });
}

/**
 * Accepts exactly one wildcard in a policy: another one in the same policy is still a finding. Something of another stack
 * must be given as that stack's export (`exportValue`), because that is how the finding will name it.
 */
export function acceptWildcard(principal: IConstruct, resourceArn: string, reason: string): void {
  const named = nameInFinding(Stack.of(principal).resolve(resourceArn));
  accept(principal, `AwsSolutions-IAM5[Resource::${named}]`, reason);
}

/** How cdk-nag writes an ARN: text as it is, references as `<Name>` or `<Name.Attribute>`, imports by their export's name. */
function nameInFinding(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[intrinsic, argument] = ['', undefined]] = Object.entries(value as Record<string, unknown>);
  switch (intrinsic) {
    case 'Ref':
      return `<${argument}>`;
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Fn::ImportValue':
      return String(argument);
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return parts.map(nameInFinding).join(separator);
    }
    default:
      throw new Error(`An ARN made with ${intrinsic} has no known name in a finding.`);
  }
}
