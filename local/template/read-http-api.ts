/** One HTTP API out of its Api, Routes, Integrations and Stage. */
import type { DeclaredResource } from './declared-resource.ts';
import { isObject, type Json, TemplateError } from './json.ts';
import type { CorsModel, HttpApiModel, RouteModel, ThrottleModel } from './model.ts';
import type { PropertyReader } from './property-reader.ts';

const DEFAULT_INTEGRATION_TIMEOUT_MS = 30_000;

interface Integration {
  readonly functionArn: string;
  readonly timeoutMillis: number;
}

/** `parts` are the API's resources of one stack; those of other APIs are left alone. */
export function readHttpApi(resource: DeclaredResource, parts: readonly DeclaredResource[]): HttpApiModel {
  const props = resource.properties;
  const protocol = props.text('ProtocolType');
  if (protocol !== 'HTTP') throw new TemplateError(`${props.where}: protocol ${protocol} is not known locally`);
  props.ignore('Description', 'DisableExecuteApiEndpoint', 'Tags');
  const own = parts.filter((part) => part.properties.raw('ApiId') === resource.ref);
  const integrations = new Map<string, Integration>();
  for (const part of own.filter((candidate) => candidate.type === 'AWS::ApiGatewayV2::Integration')) {
    integrations.set(part.ref, readIntegration(part.properties));
  }
  const routes = own
    .filter((part) => part.type === 'AWS::ApiGatewayV2::Route')
    .map((part) => readRoute(part.properties, integrations));
  const stages = own.filter((part) => part.type === 'AWS::ApiGatewayV2::Stage');
  const stage = stages[0];
  if (stage === undefined || stages.length > 1) throw new TemplateError(`${props.where}: expected exactly one stage`);
  const cors = props.optionalObject('CorsConfiguration');
  const model: HttpApiModel = {
    id: resource.ref,
    name: props.text('Name'),
    executeArn: `arn:aws:execute-api:${resource.stack.region}:${resource.stack.account}:${resource.ref}`,
    routes,
    cors: cors && readCors(cors),
    ...readStage(stage),
  };
  props.done();
  return model;
}

function readIntegration(props: PropertyReader): Integration {
  props.ignore('ApiId');
  const type = props.text('IntegrationType');
  const version = props.optionalText('PayloadFormatVersion');
  if (type !== 'AWS_PROXY' || version !== '2.0') {
    throw new TemplateError(
      `${props.where}: integration ${type} with payload ${version ?? 'unset'} is not known locally`,
    );
  }
  const uri = props.text('IntegrationUri');
  // Either the function's ARN or API Gateway's own path around it.
  const functionArn = /functions\/(arn:[^/]+)\/invocations$/.exec(uri)?.[1] ?? uri;
  const timeoutMillis = props.optionalNumber('TimeoutInMillis') ?? DEFAULT_INTEGRATION_TIMEOUT_MS;
  props.ignore('IntegrationMethod');
  props.done();
  return { functionArn, timeoutMillis };
}

function readRoute(props: PropertyReader, integrations: ReadonlyMap<string, Integration>): RouteModel {
  props.ignore('ApiId');
  const routeKey = props.text('RouteKey');
  const authorization = props.optionalText('AuthorizationType') ?? 'NONE';
  if (authorization !== 'NONE') {
    throw new TemplateError(`${props.where}: authorization ${authorization} is not known locally`);
  }
  const target = props.text('Target').replace(/^integrations\//, '');
  const integration = integrations.get(target);
  if (integration === undefined) throw new TemplateError(`${props.where}: there is no integration ${target}`);
  props.done();
  if (routeKey === '$default') return { routeKey, method: 'ANY', path: '$default', ...integration };
  const [method, path] = routeKey.split(' ');
  if (method === undefined || path === undefined) throw new TemplateError(`${props.where}: bad route key ${routeKey}`);
  return { routeKey, method, path, ...integration };
}

function readStage(resource: DeclaredResource): Pick<HttpApiModel, 'stage' | 'throttle' | 'routeThrottles'> {
  const props = resource.properties;
  props.ignore('ApiId', 'AccessLogSettings', 'Description', 'Tags', 'DeploymentId');
  if (!props.flag('AutoDeploy')) throw new TemplateError(`${props.where}: a stage without AutoDeploy serves nothing`);
  const stage = props.text('StageName');
  const settings = props.optionalObject('DefaultRouteSettings');
  settings?.ignore('DetailedMetricsEnabled');
  const throttle =
    settings &&
    throttleOf(settings.optionalNumber('ThrottlingRateLimit'), settings.optionalNumber('ThrottlingBurstLimit'));
  const routeThrottles: Record<string, ThrottleModel> = {};
  const perRoute = props.raw('RouteSettings') ?? {};
  if (!isObject(perRoute)) throw new TemplateError(`${props.where}: RouteSettings is not an object`);
  for (const [routeKey, value] of Object.entries(perRoute)) {
    const own = isObject(value)
      ? throttleOf(number(value.ThrottlingRateLimit), number(value.ThrottlingBurstLimit))
      : undefined;
    if (own !== undefined) routeThrottles[routeKey] = own;
  }
  props.done();
  return { stage, throttle, routeThrottles };
}

function number(value: Json | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function throttleOf(rate: number | undefined, burst: number | undefined): ThrottleModel | undefined {
  if (rate === undefined && burst === undefined) return undefined;
  return { ratePerSecond: rate ?? burst ?? 0, burst: burst ?? rate ?? 0 };
}

function readCors(cors: PropertyReader): CorsModel {
  return {
    origins: cors.texts('AllowOrigins'),
    methods: cors.texts('AllowMethods'),
    headers: cors.texts('AllowHeaders').map((name) => name.toLowerCase()),
    exposed: cors.texts('ExposeHeaders'),
    maxAgeSeconds: cors.optionalNumber('MaxAge'),
    allowsCredentials: cors.flag('AllowCredentials'),
  };
}
