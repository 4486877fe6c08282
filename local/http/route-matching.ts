/** Which route of an HTTP API takes a request, by API Gateway's priority: full match, then greedy, then `$default`. */
import type { RouteModel } from '../template/model.ts';

export interface RouteMatch {
  readonly route: RouteModel;
  /** Decoded values of the path's variables; undefined when the route has none. */
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

/** @param path decoded, without query */
export function matchRoute(routes: readonly RouteModel[], method: string, path: string): RouteMatch | undefined {
  let best: (RouteMatch & { readonly rank: readonly number[] }) | undefined;
  for (const route of routes) {
    if (route.method !== 'ANY' && route.method !== method) continue;
    const parameters = route.path === '$default' ? {} : matchPath(route.path, path);
    if (parameters === undefined) continue;
    const rank = rankOf(route);
    if (best !== undefined && compareRanks(rank, best.rank) >= 0) continue;
    best = { route, rank, pathParameters: Object.keys(parameters).length === 0 ? undefined : parameters };
  }
  return best && { route: best.route, pathParameters: best.pathParameters };
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/').slice(1);
  const given = path.split('/').slice(1);
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const greedy = /^\{(.+)\+\}$/.exec(part)?.[1];
    if (greedy !== undefined) {
      const rest = given.slice(index).join('/');
      return rest === '' ? undefined : { ...parameters, [greedy]: rest };
    }
    const value = given[index];
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    const isMatch = name === undefined ? value === part : value !== undefined && value !== '';
    if (!isMatch) return undefined;
    if (name !== undefined && value !== undefined) parameters[name] = value;
  }
  return given.length === wanted.length ? parameters : undefined;
}

/** Smaller wins: `$default` last, greedy before it, fewer variables, a named method before ANY, more fixed segments. */
function rankOf(route: RouteModel): readonly number[] {
  const parts = route.path.split('/');
  const variables = parts.filter((part) => part.startsWith('{')).length;
  return [
    route.path === '$default' ? 1 : 0,
    route.path.endsWith('+}') ? 1 : 0,
    variables,
    route.method === 'ANY' ? 1 : 0,
    -(parts.length - variables),
  ];
}

function compareRanks(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}
