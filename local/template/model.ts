/** What the local stack knows about the synthesized app: the declarations of all stacks, resolved and typed. */
import type { Json, JsonObject } from './json.ts';

export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}

export interface IndexModel {
  readonly name: string;
  readonly partitionKey: KeyAttribute;
  readonly sortKey: KeyAttribute | undefined;
  readonly projection: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
  readonly projectedAttributes: readonly string[];
}

export interface TableModel {
  readonly name: string;
  readonly arn: string;
  readonly streamArn: string | undefined;
  readonly streamView: 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES' | undefined;
  readonly partitionKey: KeyAttribute;
  readonly sortKey: KeyAttribute | undefined;
  readonly indexes: readonly IndexModel[];
  readonly ttlAttribute: string | undefined;
}

export interface QueueModel {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** SQS attribute names and values, exactly as the template sets them (`VisibilityTimeout`, `RedrivePolicy` ...). */
  readonly attributes: Readonly<Record<string, string>>;
  readonly visibilityTimeoutSeconds: number;
}

export interface FunctionModel {
  readonly logicalId: string;
  /** Path in the construct tree, such as `Service/Usage/AppendUsage/Function/Resource`; the logical id without metadata. */
  readonly constructPath: string;
  readonly name: string;
  readonly arn: string;
  /** Absolute folder of the bundled code. */
  readonly codeFolder: string;
  /** `file.export`, as Lambda reads it. */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly roleArn: string;
  readonly reservedConcurrency: number | undefined;
  /** As in LoggingConfig; Lambda hands both to the function's environment. */
  readonly logFormat: 'JSON' | 'Text';
  readonly logLevel: string | undefined;
  /** How often an asynchronous invocation is tried again (AWS's default is 2), and where it ends. */
  readonly asyncRetries: number;
  readonly asyncOnFailureArn: string | undefined;
}

export interface EventSourceModel {
  readonly id: string;
  readonly kind: 'queue' | 'stream';
  readonly sourceArn: string;
  readonly functionName: string;
  readonly isEnabled: boolean;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsItemFailures: boolean;
  /** Event patterns; a record passes when one of them matches. Empty: all pass. */
  readonly filters: readonly JsonObject[];
  readonly maxConcurrency: number | undefined;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  readonly bisectsOnError: boolean;
  /** -1: until the record expires. */
  readonly maxRetries: number;
  /** -1: no limit of its own. */
  readonly maxRecordAgeSeconds: number;
  readonly onFailureArn: string | undefined;
}

export interface RouteModel {
  /** `POST` or `ANY`. */
  readonly method: string;
  /** Such as `/v1/events` or `/v1/{proxy+}`. */
  readonly path: string;
  readonly routeKey: string;
  readonly functionArn: string;
  readonly timeoutMillis: number;
}

export interface ThrottleModel {
  readonly ratePerSecond: number;
  readonly burst: number;
}

export interface CorsModel {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly allowsCredentials: boolean;
}

export interface HttpApiModel {
  readonly id: string;
  readonly name: string;
  /** `arn:aws:execute-api:<region>:<account>:<id>`: the start of what invoke permissions name. */
  readonly executeArn: string;
  readonly stage: string;
  readonly routes: readonly RouteModel[];
  readonly throttle: ThrottleModel | undefined;
  /** By route key. */
  readonly routeThrottles: Readonly<Record<string, ThrottleModel>>;
  readonly cors: CorsModel | undefined;
}

export interface StateMachineModel {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  /** The Amazon States Language document, substitutions done. */
  readonly definition: JsonObject;
}

export interface ScheduleModel {
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  readonly timeZone: string;
  readonly isEnabled: boolean;
  readonly targetArn: string;
  readonly roleArn: string;
  readonly input: string | undefined;
  readonly deadLetterArn: string | undefined;
  readonly maxRetries: number;
  readonly maxEventAgeSeconds: number;
}

export interface RuleTargetModel {
  readonly id: string;
  readonly arn: string;
  readonly roleArn: string | undefined;
  readonly input: string | undefined;
  readonly inputPath: string | undefined;
  readonly deadLetterArn: string | undefined;
}

export interface RuleModel {
  readonly name: string;
  readonly arn: string;
  readonly busName: string;
  readonly isEnabled: boolean;
  readonly pattern: JsonObject | undefined;
  readonly scheduleExpression: string | undefined;
  readonly targets: readonly RuleTargetModel[];
}

export interface SecretModel {
  readonly name: string;
  readonly arn: string;
  /** Present where AWS would generate the value; `template` and `key` as in GenerateSecretString. */
  readonly generate:
    | {
        readonly length: number;
        readonly template: string | undefined;
        readonly key: string | undefined;
        readonly excluded: string;
      }
    | undefined;
  readonly value: string | undefined;
}

export interface RoleModel {
  readonly arn: string;
  readonly name: string;
  readonly trust: JsonObject;
  /** Every inline, attached and separate policy of the role. */
  readonly policies: readonly JsonObject[];
  /** AWS managed policies by ARN. */
  readonly managedPolicyArns: readonly string[];
}

export interface ResourcePolicyModel {
  readonly resourceArn: string;
  readonly policy: JsonObject;
}

/** AWS::Lambda::Permission: who may invoke a function without a policy of its own. */
export interface InvokePermissionModel {
  readonly functionArn: string;
  /** A service such as `apigateway.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string | undefined;
}

export interface AlarmModel {
  readonly name: string;
  readonly properties: Readonly<Record<string, Json>>;
}

export interface NamedResource {
  readonly name: string;
  readonly arn: string;
}

export interface AppModel {
  readonly account: string;
  readonly region: string;
  readonly tables: readonly TableModel[];
  readonly queues: readonly QueueModel[];
  readonly functions: readonly FunctionModel[];
  readonly eventSources: readonly EventSourceModel[];
  readonly httpApis: readonly HttpApiModel[];
  readonly stateMachines: readonly StateMachineModel[];
  readonly schedules: readonly ScheduleModel[];
  readonly buses: readonly NamedResource[];
  readonly rules: readonly RuleModel[];
  readonly buckets: readonly NamedResource[];
  readonly secrets: readonly SecretModel[];
  readonly topics: readonly NamedResource[];
  readonly roles: readonly RoleModel[];
  readonly resourcePolicies: readonly ResourcePolicyModel[];
  readonly invokePermissions: readonly InvokePermissionModel[];
  readonly alarms: readonly AlarmModel[];
  /** Outputs of all stacks by `<stack>.<output>`, resolved. */
  readonly outputs: Readonly<Record<string, string>>;
}
