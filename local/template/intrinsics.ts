/**
 * Resolves CloudFormation intrinsic functions over all stacks of an assembly at once, so that an import finds its
 * export. An intrinsic it does not know, a missing resource and a circular reference are errors with the path in them.
 */
import type { StackTemplate } from './cloud-assembly.ts';
import { describe, isObject, type Json, objectAt, TemplateError } from './json.ts';
import { NAME_PROPERTY, type ResourceReference, referenceTo } from './resource-names.ts';

/** Stands for `AWS::NoValue`; the property that holds it disappears. */
const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = Json | typeof NO_VALUE;

export class IntrinsicResolver {
  readonly #stacks: readonly StackTemplate[];
  readonly #endpoint: string;
  readonly #references = new Map<string, ResourceReference>();
  readonly #resolving = new Set<string>();

  /** `endpoint` is the origin of the local AWS endpoint (queue URLs start with it). */
  constructor(stacks: readonly StackTemplate[], endpoint: string) {
    this.#stacks = stacks;
    this.#endpoint = endpoint;
  }

  /** `value` with every intrinsic replaced. `where` names the place in error messages. */
  resolve(stack: StackTemplate, value: Json, where: string): Json {
    const resolved = this.#resolve(stack, value, where);
    if (resolved === NO_VALUE) throw new TemplateError(`${where}: AWS::NoValue stands where a value is needed`);
    return resolved;
  }

  /** Name, Ref and attributes of a resource of `stack`. */
  reference(stack: StackTemplate, logicalId: string, where: string): ResourceReference {
    const key = `${stack.name}/${logicalId}`;
    const known = this.#references.get(key);
    if (known !== undefined) return known;
    const resource = stack.resources[logicalId];
    if (resource === undefined) throw new TemplateError(`${where}: there is no resource ${logicalId} in ${stack.name}`);
    if (this.#resolving.has(key)) throw new TemplateError(`${where}: ${key} refers to itself`);
    this.#resolving.add(key);
    try {
      const type = String(objectAt(resource, key).Type);
      const property = NAME_PROPERTY[type];
      const given =
        property === undefined ? undefined : objectAt(objectAt(resource, key).Properties ?? {}, key)[property];
      const reference = referenceTo({
        type,
        logicalId,
        stackName: stack.name,
        account: stack.account,
        region: stack.region,
        endpoint: this.#endpoint,
        givenName: given === undefined ? undefined : String(this.resolve(stack, given, `${key}.${property}`)),
      });
      this.#references.set(key, reference);
      return reference;
    } finally {
      this.#resolving.delete(key);
    }
  }

  #resolve(stack: StackTemplate, value: Json, where: string): Resolved {
    if (typeof value === 'string') return refuseDynamicReference(value, where);
    if (Array.isArray(value)) {
      return value
        .map((item: Json, index) => this.#resolve(stack, item, `${where}[${index}]`))
        .filter((item): item is Json => item !== NO_VALUE);
    }
    if (!isObject(value)) return value;
    const names = Object.keys(value);
    const only = names.length === 1 ? names[0] : undefined;
    if (only === 'Ref') return this.#ref(stack, String(value.Ref), where);
    if (only?.startsWith('Fn::')) return this.#call(stack, only, value[only] ?? null, where);
    const result: Record<string, Json> = {};
    for (const [name, item] of Object.entries(value)) {
      const resolved = this.#resolve(stack, item, `${where}.${name}`);
      if (resolved !== NO_VALUE) result[name] = resolved;
    }
    return result;
  }

  #ref(stack: StackTemplate, name: string, where: string): Resolved {
    if (name === 'AWS::NoValue') return NO_VALUE;
    const pseudo = pseudoParameter(stack, name);
    if (pseudo !== undefined) return pseudo;
    if (name.startsWith('AWS::')) throw new TemplateError(`${where}: pseudo parameter ${name} is not known locally`);
    const parameter = stack.parameters[name];
    if (parameter === undefined) return this.reference(stack, name, where).ref;
    const declared = objectAt(parameter, name);
    if (String(declared.Type).startsWith('AWS::SSM::') || declared.Default === undefined) {
      throw new TemplateError(`${where}: parameter ${name} has no value in the template; give it a plain default`);
    }
    return declared.Default;
  }

  #call(stack: StackTemplate, name: string, argument: Json, where: string): Resolved {
    switch (name) {
      case 'Fn::GetAtt':
        return this.#attribute(
          stack,
          typeof argument === 'string' ? argument.split('.') : list(argument, where),
          where,
        );
      case 'Fn::Sub':
        return this.#substitute(stack, argument, where);
      case 'Fn::Join': {
        const [separator, parts] = pair(argument, where);
        return this.#texts(stack, parts, where).join(String(separator));
      }
      case 'Fn::Select': {
        const [index, items] = pair(argument, where);
        const chosen = list(this.resolve(stack, items, where), where)[Number(index)];
        if (chosen === undefined) throw new TemplateError(`${where}: Fn::Select has no element ${String(index)}`);
        return chosen;
      }
      case 'Fn::Split': {
        const [separator, text] = pair(argument, where);
        return String(this.resolve(stack, text, where)).split(String(separator));
      }
      case 'Fn::FindInMap': {
        const [map, first, second] = this.#texts(stack, argument, where);
        const found = objectAt(objectAt(stack.mappings[map ?? ''], where)[first ?? ''], where)[second ?? ''];
        if (found === undefined) throw new TemplateError(`${where}: mapping ${map} has no ${first}.${second}`);
        return found;
      }
      case 'Fn::ImportValue':
        return this.#import(String(this.resolve(stack, argument, where)), where);
      default:
        throw new TemplateError(`${where}: intrinsic ${name} is not known locally (${describe(argument)})`);
    }
  }

  #attribute(stack: StackTemplate, path: readonly Json[], where: string): Json {
    const [logicalId, ...rest] = path.map(String);
    const attribute = rest.join('.');
    const value = this.reference(stack, logicalId ?? '', where).attributes[attribute];
    if (value === undefined) throw new TemplateError(`${where}: ${logicalId} has no attribute ${attribute} locally`);
    return value;
  }

  #substitute(stack: StackTemplate, argument: Json, where: string): string {
    const [text, variables] = Array.isArray(argument) ? pair(argument, where) : [argument, {}];
    const given = objectAt(variables, where);
    return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal === '!') return `\${${name}}`;
      const own = given[name];
      if (own !== undefined) return String(this.resolve(stack, own, where));
      return String(
        name.includes('.') ? this.#attribute(stack, name.split('.'), where) : this.#ref(stack, name, where),
      );
    });
  }

  #import(exportName: string, where: string): Json {
    for (const stack of this.#stacks) {
      for (const [id, output] of Object.entries(stack.outputs)) {
        const declared = objectAt(output, id);
        const exported = declared.Export;
        if (!isObject(exported)) continue;
        const name = this.resolve(stack, exported.Name ?? null, `${stack.name} output ${id}`);
        if (name === exportName) return this.resolve(stack, declared.Value ?? null, `${stack.name} output ${id}`);
      }
    }
    throw new TemplateError(`${where}: no stack of the assembly exports ${exportName}`);
  }

  #texts(stack: StackTemplate, value: Json, where: string): string[] {
    return list(this.resolve(stack, value, where), where).map(String);
  }
}

function pseudoParameter(stack: StackTemplate, name: string): string | undefined {
  const values: Record<string, string> = {
    'AWS::AccountId': stack.account,
    'AWS::Region': stack.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
    'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/local`,
  };
  return values[name];
}

function refuseDynamicReference(text: string, where: string): string {
  if (text.includes('{{resolve:')) throw new TemplateError(`${where}: dynamic reference ${text} is not known locally`);
  return text;
}

function list(value: Json, where: string): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`${where}: got ${describe(value)}, expected a list`);
}

function pair(value: Json, where: string): [Json, Json] {
  const [first, second] = list(value, where);
  if (first === undefined || second === undefined) throw new TemplateError(`${where}: expected two arguments`);
  return [first, second];
}
