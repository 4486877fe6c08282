import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Access } from './access.ts';
import { ACCOUNT, REGION } from './arns.ts';
import type { Caller } from './backend.ts';
import {
  ADMIN_NAME,
  actionMatches,
  conditionKeysOf,
  type PolicyDocument,
  type Principal,
  resourceMatches,
  statementsOf,
} from './policies.ts';

/**
 * Decides whether a principal may do something, by simulating IAM over its synthesized policies, and remembers what each
 * principal was allowed to do, so that a grant that nothing ever used can be found.
 *
 * Owns: decisions, their cache, the record of use. Does not own: what a call needs (access.ts), who calls (gateway.ts).
 */
export interface Decision {
  readonly allowed: boolean;
  /** The end of AWS's sentence: why it was refused. Empty when allowed. */
  readonly reason: string;
}

export interface UnusedGrant {
  readonly principal: string;
  /** The action as the policy spells it, wildcards included. */
  readonly action: string;
  readonly resources: readonly string[];
}

/** What the gateway says about a call beside its own access context. A policy that asks for another key is refused at load. */
const KNOWN_KEYS = new Set(
  'aws:principalarn aws:principalaccount aws:requestedregion aws:securetransport s3:prefix events:source events:detail-type'.split(
    ' ',
  ),
);
const CACHE_LIMIT = 20_000;
const ALLOWED: Decision = { allowed: true, reason: '' };

export class Authorizer {
  readonly #resourcePolicies: ReadonlyMap<string, PolicyDocument>;
  readonly #principals = new Map<string, Principal>();
  readonly #used = new Map<string, Map<string, Access>>();
  #decisions = new Map<string, Decision>();

  /** `resourcePolicies`: by the ARN of the resource (for S3 the bucket's). */
  constructor(resourcePolicies: ReadonlyMap<string, PolicyDocument> = new Map()) {
    this.#resourcePolicies = resourcePolicies;
  }

  /**
   * Takes a principal in, in place of one of the same name.
   * @throws Error when a policy has a condition on a key that the gateway does not know: it could not be simulated truly.
   */
  add(principal: Principal): void {
    if (principal.name === ADMIN_NAME)
      throw new Error(`${ADMIN_NAME} is the local runner itself and takes no policies.`);
    for (const key of principal.identityPolicies.flatMap(conditionKeysOf)) {
      if (!KNOWN_KEYS.has(key.toLowerCase())) {
        throw new Error(
          `A policy of ${principal.name} has a condition on ${key}, which the local gateway cannot supply.`,
        );
      }
    }
    this.#principals.set(principal.name, principal);
    this.#decisions = new Map();
  }

  /** Decides one access of a principal that was taken in, and records it as used when it is allowed. */
  async decide(caller: Caller, access: Access): Promise<Decision> {
    const key = JSON.stringify([caller.name, access.action, access.resource, access.context]);
    // The map of now: a decision made under policies that are replaced meanwhile must not enter the new map.
    const decisions = this.#decisions;
    let decision = decisions.get(key);
    if (decision === undefined) {
      decision = await this.#decideCaller(caller, access);
      if (decisions.size >= CACHE_LIMIT) decisions.clear();
      decisions.set(key, decision);
    }
    if (decision.allowed) this.#record(caller.name, access);
    return decision;
  }

  /** What each principal did, by principal name. */
  usedActions(): Record<string, readonly Access[]> {
    return Object.fromEntries([...this.#used].map(([name, uses]) => [name, [...uses.values()]]));
  }

  /** Every action of every Allow statement that no allowed call needed so far. */
  unusedGrants(): UnusedGrant[] {
    return [...this.#principals.values()].flatMap((principal) => {
      const uses = [...(this.#used.get(principal.name)?.values() ?? [])];
      return principal.identityPolicies
        .flatMap(statementsOf)
        .filter((statement) => statement.effect === 'Allow')
        .flatMap(({ actions, resources }) =>
          actions
            .filter(
              (action) =>
                !uses.some((use) => actionMatches(action, use.action) && resourceMatches(resources, use.resource)),
            )
            .map((action) => ({ principal: principal.name, action, resources })),
        );
    });
  }

  #record(name: string, access: Access): void {
    const uses = this.#used.get(name) ?? new Map<string, Access>();
    this.#used.set(name, uses);
    // One object stands for all under the same first folder of a bucket: keys are without bound.
    const resource = access.resource.startsWith('arn:aws:s3:::')
      ? access.resource.split('/', 2).join('/')
      : access.resource;
    const key = `${access.action} ${resource}`;
    if (!uses.has(key)) uses.set(key, { action: access.action, resource: access.resource });
  }

  /**
   * Decides for an AWS service that acts by itself, such as `apigateway.amazonaws.com` invoking a function: only the
   * resource's own policy counts. The access context says on whose behalf (`aws:SourceArn`).
   */
  async decideService(service: string, access: Access): Promise<Decision> {
    const context = { 'aws:SourceAccount': ACCOUNT, 'aws:SecureTransport': 'true', ...access.context };
    const decision = await this.#simulate({ principal: service, identityPolicies: [], access, context });
    if (decision.allowed) this.#record(service, access);
    return decision;
  }

  async #decideCaller(caller: Caller, access: Access): Promise<Decision> {
    const principal = this.#principals.get(caller.name);
    if (principal === undefined) throw new Error(`${caller.name} is no principal of the gateway`);
    const context = {
      'aws:PrincipalArn': principal.arn,
      'aws:PrincipalAccount': ACCOUNT,
      'aws:RequestedRegion': REGION,
      // Production is called over TLS only; the local loopback stands for it.
      'aws:SecureTransport': 'true',
      ...access.context,
    };
    const { identityPolicies } = principal;
    return this.#simulate({ principal: sessionArn(principal.arn), identityPolicies, access, context });
  }

  async #simulate(asked: {
    principal: string;
    identityPolicies: readonly PolicyDocument[];
    access: Access;
    context: Record<string, string | string[]>;
  }): Promise<Decision> {
    const { principal, identityPolicies, access, context } = asked;
    const result = await runSimulation(
      {
        request: {
          principal,
          action: access.action,
          resource: { resource: access.resource, accountId: ACCOUNT },
          contextVariables: context,
        },
        identityPolicies: identityPolicies.map((policy, n) => ({ name: `policy-${n}`, policy })),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        resourcePolicy: this.#resourcePolicies.get(policyHolder(access.resource)),
      },
      {},
    );
    if (result.resultType === 'error') {
      return { allowed: false, reason: `because it could not be simulated: ${JSON.stringify(result.errors)}` };
    }
    if (result.overallResult === 'Allowed') return ALLOWED;
    const analysis = result.resultType === 'single' ? result.result.analysis : undefined;
    const isResourceDeny = analysis?.resourceAnalysis?.result === 'ExplicitlyDenied';
    return { allowed: false, reason: refusal(result.overallResult, isResourceDeny, access.action) };
  }
}

function refusal(result: string, isResourceDeny: boolean, action: string): string {
  if (result !== 'ExplicitlyDenied') return `because no identity-based policy allows the ${action} action`;
  return `with an explicit deny in ${isResourceDeny ? 'a resource' : 'an identity'}-based policy`;
}

/** Resource policies of S3 hang on the bucket. */
function policyHolder(resource: string): string {
  return resource.startsWith('arn:aws:s3:::') ? (resource.split('/', 1)[0] ?? resource) : resource;
}

/** The session under which a role calls: what AWS names in its refusals. */
export function sessionArn(roleArn: string): string {
  const role = /:role\/(?:.*\/)?([^/]+)$/.exec(roleArn)?.[1];
  return role === undefined ? roleArn : `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/local`;
}

/** AWS's sentence for a refusal. */
export function refusalSentence(caller: Caller, access: Access, reason: string): string {
  return `User: ${sessionArn(caller.arn)} is not authorized to perform: ${access.action} on resource: ${access.resource} ${reason}`;
}
