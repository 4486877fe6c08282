/**
 * EventBridge event patterns: compiled once, matched against events.
 *
 * Owns: the operators that it lists. One that it does not know is refused when the pattern is compiled, so that a rule never
 * silently matches too much or too little. Does not own: rules and delivery (eventbridge.ts). `cidr` is not there.
 */
export type Match = (event: unknown) => boolean;
type Test = (value: unknown) => boolean;
type Json = Readonly<Record<string, unknown>>;

/** Compiles a pattern. Throws Error that names what it does not understand. */
export function compilePattern(pattern: unknown): Match {
  const compiled = compileObject(pattern, '$');
  return (event) => compiled(event);
}

function compileObject(pattern: unknown, path: string): Match {
  if (!isObject(pattern) || Object.keys(pattern).length === 0) {
    throw new Error(`An event pattern must be an object with at least one field at ${path}.`);
  }
  const fields = Object.entries(pattern).map(([name, expected]) =>
    name === '$or' ? compileOr(expected, path) : compileField(name, expected, `${path}.${name}`),
  );
  return (event) => fields.every((field) => field(event));
}

function compileOr(alternatives: unknown, path: string): Match {
  if (!Array.isArray(alternatives) || alternatives.length < 2)
    throw new Error(`$or at ${path} needs at least two patterns.`);
  const compiled = alternatives.map((one, n) => compileObject(one, `${path}.$or[${n}]`));
  return (event) => compiled.some((match) => match(event));
}

function compileField(name: string, expected: unknown, path: string): Match {
  if (!Array.isArray(expected)) {
    const inner = compileObject(expected, path);
    // An array of objects matches when one of them does.
    return (event) => candidates(fieldOf(event, name)).some(inner);
  }
  if (expected.length === 0) throw new Error(`The pattern at ${path} lists no value.`);
  const tests = expected.map((one) => compileTest(one, path));
  return (event) => {
    const value = fieldOf(event, name);
    return tests.some(({ test, wantsAbsent }) =>
      wantsAbsent ? value === undefined : value !== undefined && candidates(value).some(test),
    );
  };
}

interface Compiled {
  readonly test: Test;
  /** `{"exists": false}`: true of a field that is not there, and of nothing else. */
  readonly wantsAbsent: boolean;
}

function compileTest(expected: unknown, path: string): Compiled {
  if (!isObject(expected)) return { test: literal(expected, path), wantsAbsent: false };
  const [[operator, operand] = ['', undefined], ...rest] = Object.entries(expected);
  if (rest.length > 0) throw new Error(`The pattern at ${path} has more than one operator in one object.`);
  if (operator !== 'exists') return { test: compileOperator(operator, operand, path), wantsAbsent: false };
  if (typeof operand !== 'boolean') throw new Error(`exists at ${path} takes true or false.`);
  return { test: () => operand, wantsAbsent: !operand };
}

function compileOperator(operator: string, operand: unknown, path: string): Test {
  switch (operator) {
    case 'prefix':
    case 'suffix':
      return affix(operator, operand, path);
    case 'equals-ignore-case': {
      const wanted = text(operand, operator, path).toLowerCase();
      return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
    }
    case 'wildcard':
      return wildcard(text(operand, operator, path), path);
    case 'numeric':
      return numeric(operand, path);
    case 'anything-but':
      return anythingBut(operand, path);
    default:
      throw new Error(`The pattern at ${path} uses ${operator}, which the local EventBridge does not know.`);
  }
}

function literal(expected: unknown, path: string): Test {
  if (expected !== null && !['string', 'number', 'boolean'].includes(typeof expected)) {
    throw new Error(`The pattern at ${path} lists a value that is neither text, number, boolean nor null.`);
  }
  return (value) => value === expected;
}

function affix(operator: 'prefix' | 'suffix', operand: unknown, path: string): Test {
  const isLoose = isObject(operand);
  if (isLoose && Object.keys(operand).join() !== 'equals-ignore-case') {
    throw new Error(`${operator} at ${path} takes a text or {"equals-ignore-case": text}.`);
  }
  const wanted = text(isLoose ? operand['equals-ignore-case'] : operand, operator, path);
  const spelled = (value: string) => (isLoose ? value.toLowerCase() : value);
  return (value) =>
    typeof value === 'string' &&
    (operator === 'prefix' ? spelled(value).startsWith(spelled(wanted)) : spelled(value).endsWith(spelled(wanted)));
}

/** `*` stands for any text; a backslash takes the meaning from a star or a backslash. */
function wildcard(pattern: string, path: string): Test {
  if (pattern.includes('**')) throw new Error(`wildcard at ${path} has two stars in a row.`);
  const source = pattern.replace(/\\[*\\]|[\s\S]/g, (sign) => {
    if (sign === '*') return '[\\s\\S]*';
    return (sign.length === 2 ? sign.charAt(1) : sign).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  const expression = new RegExp(`^${source}$`);
  return (value) => typeof value === 'string' && expression.test(value);
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(operand: unknown, path: string): Test {
  const list = Array.isArray(operand) ? operand : [];
  if (list.length !== 2 && list.length !== 4) throw new Error(`numeric at ${path} takes one or two comparisons.`);
  const tests = [0, 2]
    .filter((n) => n < list.length)
    .map((n) => {
      const compare = COMPARISONS[String(list[n])];
      const bound: unknown = list[n + 1];
      if (compare === undefined || typeof bound !== 'number')
        throw new Error(`numeric at ${path} has a bad comparison.`);
      return (value: number) => compare(value, bound);
    });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

const NEGATABLE = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard']);

function anythingBut(operand: unknown, path: string): Test {
  if (isObject(operand)) {
    const [[operator, inner] = ['', undefined], ...rest] = Object.entries(operand);
    if (!NEGATABLE.has(operator) || rest.length > 0) {
      throw new Error(`anything-but at ${path} uses ${operator}, which the local EventBridge does not know.`);
    }
    const tests = (Array.isArray(inner) ? inner : [inner]).map((one) => compileOperator(operator, one, path));
    return (value) => !tests.some((test) => test(value));
  }
  const tests = (Array.isArray(operand) ? operand : [operand]).map((one) => literal(one, path));
  return (value) => !tests.some((test) => test(value));
}

function text(operand: unknown, operator: string, path: string): string {
  if (typeof operand !== 'string') throw new Error(`${operator} at ${path} takes a text.`);
  return operand;
}

function fieldOf(event: unknown, name: string): unknown {
  return isObject(event) && Object.hasOwn(event, name) ? event[name] : undefined;
}

/** An array in the event matches when one of its elements does. */
function candidates(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
