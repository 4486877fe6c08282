import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import settings from '../cdk.json' with { type: 'json' };
import { type StageConfig, stageConfigFrom } from '../lib/config.ts';
import { DataStack } from '../lib/data-stack.ts';
import { ServiceStack } from '../lib/service-stack.ts';

/**
 * The one CDK app. `cdk synth` and `cdk deploy` run it through cdk.json; the local stack and the tests run it directly
 * (`node bin/app.ts`), which gives the same cdk.out without starting the CLI.
 */
const app = new App({ context: settings.context, outdir: process.env.CDK_OUTDIR ?? settings.output });
const config = configured();

const name = `countinghouse-${config.stage}`;
const environment =
  config.account === undefined ? {} : { env: { account: config.account, region: config.region as string } };

const data = new DataStack(app, `${name}-data`, {
  ...environment,
  config,
  description: 'Countinghouse: tables, archive, event bus, secrets. Everything here is kept when the stack is deleted.',
});
new ServiceStack(app, `${name}-service`, {
  ...environment,
  config,
  data,
  description: 'Countinghouse: the API, usage, billing and payments. Nothing here holds state that cannot be rebuilt.',
});

Tags.of(app).add('product', 'countinghouse');
Tags.of(app).add('stage', config.stage);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

app.synth();

/** A wrong context is the caller's to correct: it is told in a sentence, without a stack. */
function configured(): StageConfig {
  try {
    return stageConfigFrom(app.node);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
