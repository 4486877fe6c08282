import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { HouseFunction } from './house-function.ts';

export interface StripeSecrets {
  /** What a project's id is appended to: `countinghouse-dev/stripe/`. */
  readonly prefix: string;
  allowReading(reader: HouseFunction): void;
}

/** One secret per project, made by the operator and never by this stack: which projects exist is not known when deploying. */
export function stripeSecrets(scope: Construct, config: StageConfig): StripeSecrets {
  const prefix = `countinghouse-${config.stage}/stripe/`;
  const arn = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${prefix}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return {
    prefix,
    allowReading: (reader) => {
      reader.allowWithin(
        ['secretsmanager:GetSecretValue'],
        arn,
        'One secret per project, under a prefix of its own; projects are made after deploying.',
      );
    },
  };
}
