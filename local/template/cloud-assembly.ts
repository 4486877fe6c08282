/**
 * Reads a CDK cloud assembly (cdk.out): which stacks it has, their templates, and where each file asset lies on disk.
 * Knows the layout of the folder and nothing about resources.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ACCOUNT, REGION } from '../gateway/arns.ts';
import { isObject, type Json, type JsonObject, objectAt, TemplateError } from './json.ts';

export interface StackTemplate {
  /** The CloudFormation stack name. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly resources: JsonObject;
  readonly parameters: JsonObject;
  readonly outputs: JsonObject;
  readonly mappings: JsonObject;
  /** Absolute path of an asset by its S3 object key (`<hash>.zip`, `<hash>.json`). */
  readonly assets: ReadonlyMap<string, string>;
  /** Path in the construct tree by logical id, such as `/Service/Usage/AppendUsage/Function/Resource`. */
  readonly constructPaths: ReadonlyMap<string, string>;
}

/** @throws TemplateError when the folder is not a cloud assembly or holds no stack. */
export function readCloudAssembly(folder: string): readonly StackTemplate[] {
  const manifest = readJson(path.join(folder, 'manifest.json'));
  const artifacts = objectAt(manifest.artifacts, 'manifest.json artifacts');
  const stacks = Object.entries(artifacts)
    .filter(([, artifact]) => isObject(artifact) && artifact.type === 'aws:cloudformation:stack')
    .map(([id, artifact]) => readStack(folder, id, objectAt(artifact, id)));
  if (stacks.length === 0)
    throw new TemplateError(`${folder}: the cloud assembly holds no stack; run \`npx cdk synth\``);
  return stacks;
}

function readStack(folder: string, id: string, artifact: JsonObject): StackTemplate {
  const properties = objectAt(artifact.properties, `manifest.json ${id} properties`);
  const file = String(properties.templateFile);
  const template = readJson(path.join(folder, file));
  refuseRealEnvironment(id, String(artifact.environment));
  return {
    name: typeof properties.stackName === 'string' ? properties.stackName : id,
    account: ACCOUNT,
    region: REGION,
    resources: objectAt(template.Resources ?? {}, `${file} Resources`),
    parameters: objectAt(template.Parameters ?? {}, `${file} Parameters`),
    outputs: objectAt(template.Outputs ?? {}, `${file} Outputs`),
    mappings: objectAt(template.Mappings ?? {}, `${file} Mappings`),
    assets: readAssets(folder, file.replace(/\.template\.json$/, '.assets.json')),
    constructPaths: readConstructPaths(folder, artifact),
  };
}

/**
 * `aws://unknown-account/unknown-region` is how CDK says "wherever it is deployed"; locally that is the local account.
 * A stack bound to a real account has that account's id inside its ARNs, and is not what runs here.
 */
function refuseRealEnvironment(id: string, environment: string): void {
  if (environment === 'aws://unknown-account/unknown-region' || environment === `aws://${ACCOUNT}/${REGION}`) return;
  throw new TemplateError(
    `${id} is synthesized for ${environment}; synthesize it without account and region to run it locally`,
  );
}

/** CDK notes each logical id beside its construct, in the manifest or in a file of its own. */
function readConstructPaths(folder: string, artifact: JsonObject): ReadonlyMap<string, string> {
  const file = artifact.additionalMetadataFile;
  const metadata = typeof file === 'string' ? readJson(path.join(folder, file)) : (artifact.metadata ?? {});
  const paths = new Map<string, string>();
  for (const [constructPath, entries] of Object.entries(objectAt(metadata, 'metadata'))) {
    for (const entry of Array.isArray(entries) ? (entries as readonly Json[]) : []) {
      if (isObject(entry) && entry.type === 'aws:cdk:logicalId') paths.set(String(entry.data), constructPath);
    }
  }
  return paths;
}

function readAssets(folder: string, file: string): ReadonlyMap<string, string> {
  const files = objectAt(readJson(path.join(folder, file)).files ?? {}, `${file} files`);
  const assets = new Map<string, string>();
  for (const [hash, entry] of Object.entries(files)) {
    const source = objectAt(objectAt(entry, hash).source, `${file} ${hash} source`);
    const location = path.resolve(folder, String(source.path));
    for (const destination of Object.values(objectAt(objectAt(entry, hash).destinations, `${file} ${hash}`))) {
      assets.set(String(objectAt(destination, hash).objectKey), location);
    }
  }
  return assets;
}

function readJson(file: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new TemplateError(`${file} is missing; run \`npx cdk synth\` first`);
  }
  return objectAt(JSON.parse(text) as Json, file);
}
