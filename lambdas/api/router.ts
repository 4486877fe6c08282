import { BillingError, notFound } from '../../core/errors.ts';
import type { Route } from './route.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

/**
 * Finds the route of a method and path. Throws `route_not_found` (404), or `method_not_allowed` (405) with the methods the
 * path does have.
 */
export function router(routes: readonly Route[]): (method: string, path: string) => Match {
  const compiled = routes.map((route) => ({ route, segments: segmentsOf(route.path) }));
  return (method, path) => {
    const segments = segmentsOf(path).map(decoded);
    const matches = compiled.filter((candidate) => fits(candidate, segments));
    const found = matches.find(({ route }) => route.method === method);
    if (found) return { route: found.route, params: paramsOf(found, segments) };
    if (matches.length === 0) {
      throw notFound(
        'route_not_found',
        `There is no ${path.slice(0, 128)} here; GET /v1/openapi.json lists what there is.`,
      );
    }
    const allow = matches.map(({ route }) => route.method).join(', ');
    throw new BillingError({
      kind: 'invalid',
      code: 'method_not_allowed',
      message: `Got ${method.slice(0, 16)}; expected ${allow} for this path.`,
      context: { allow },
    });
  };
}

function segmentsOf(path: string): string[] {
  return path.replace(/\/+$/, '').split('/').slice(1);
}

function fits(candidate: Compiled, segments: readonly string[]): boolean {
  return (
    candidate.segments.length === segments.length &&
    candidate.segments.every((part, index) => (isParameter(part) ? segments[index] !== '' : part === segments[index]))
  );
}

function paramsOf(found: Compiled, segments: readonly string[]): Record<string, string> {
  const pairs = found.segments.flatMap((part, index) =>
    isParameter(part) ? [[part.slice(1, -1), segments[index] ?? '']] : [],
  );
  return Object.fromEntries(pairs);
}

const isParameter = (part: string) => part.startsWith('{');

/** A segment that is not percent-encoded properly is taken as it is: it names nothing, and answers 404. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
