import { ENV, type EnvOf, type FunctionName } from '../env.ts';

/**
 * The environment of one function: exactly the names of its contract in env.ts, each present and not empty. Throws when one
 * is missing, naming all that are. Nothing outside lambdas/shared/wire reads `process.env`.
 */
export function environment<F extends FunctionName>(name: F): EnvOf<F> {
  const names: readonly string[] = ENV[name];
  const missing = names.filter((variable) => !process.env[variable]);
  if (missing.length > 0) throw new Error(`The function ${name} needs the environment ${missing.join(', ')}.`);
  return Object.fromEntries(names.map((variable) => [variable, process.env[variable] ?? ''])) as EnvOf<F>;
}

/**
 * A handler built when its module loads inside Lambda (clients are made once per environment, during init) and at its first
 * call anywhere else, so that a test can import `handle` from the same file without an environment.
 */
export function wired<A extends readonly unknown[], R>(build: () => (...args: A) => R): (...args: A) => R {
  let built = process.env.AWS_LAMBDA_FUNCTION_NAME === undefined ? undefined : build();
  return (...args) => {
    built ??= build();
    return built(...args);
  };
}
