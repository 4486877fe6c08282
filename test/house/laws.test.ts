import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourceFiles } from './rooms.ts';

interface Line {
  readonly file: string;
  readonly number: number;
  readonly code: string;
}

/** The lines of some rooms without their comments. */
function linesIn(rooms: RegExp, except: readonly string[] = []): Line[] {
  const files = sourceFiles().filter((file) => rooms.test(file) && !except.includes(file));
  return files.flatMap((file) => codeLines(file, readFileSync(join(ROOT, file), 'utf8')));
}

function codeLines(file: string, text: string): Line[] {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  return bare.split('\n').map((line, index) => ({ file, number: index + 1, code: line.replace(/(^|\s)\/\/.*$/, '') }));
}

function offences(lines: readonly Line[], law: RegExp): string[] {
  return lines.filter(({ code }) => law.test(code)).map(({ file, number, code }) => `${file}:${number} ${code.trim()}`);
}

const IMPURE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bprocess\.|\bsetTimeout\b|\bfetch\(|\brandomUUID\b|\brandomBytes\b/;
/** `#` beside a word, a brace or another `#` joins key parts; `#name` by itself is a placeholder of an expression. */
const KEY_SEPARATOR = /['"`][^'"`]*(?:[\w}]#|#\$\{|#['"`]|##)[^'"`]*['"`]|['"`]#['"`]/;
const FLOAT = /\bparseFloat\b|\bNumber\.parseFloat\b|\.toFixed\(|\bIntl\.NumberFormat\b/;

test('core has no clock, no environment, no randomness and no network', () => {
  expect(offences(linesIn(/^core\//), IMPURE)).toEqual([]);
});

test('the environment is read by the wiring and by nothing else that runs in a function', () => {
  expect(
    offences(linesIn(/^(core|adapters|lambdas)\//, ['lambdas/shared/wire/environment.ts']), /\bprocess\.env\b/),
  ).toEqual([]);
});

test('only keys.ts joins the parts of a DynamoDB key', () => {
  expect(offences(linesIn(/^(core|adapters|lambdas)\//, ['adapters/dynamodb/keys.ts']), KEY_SEPARATOR)).toEqual([]);
});

test('money and quantities never pass through a binary float', () => {
  expect(offences(linesIn(/^(core\/(money|rating|invoicing|catalog)|lambdas)\//), FLOAT)).toEqual([]);
});

test('the laws see what they forbid', () => {
  const planted = codeLines(
    'planted.ts',
    [
      'const now = Date.now();',
      "const pk = project + '#' + id;",
      `const sk = \`\${project}#\${id}\`;`,
      "const names = { '#status': 'status' };",
      '// const old = new Date();',
      'const price = parseFloat(text);',
    ].join('\n'),
  );
  expect(offences(planted, IMPURE)).toEqual(['planted.ts:1 const now = Date.now();']);
  expect(offences(planted, KEY_SEPARATOR)).toEqual([
    "planted.ts:2 const pk = project + '#' + id;",
    `planted.ts:3 const sk = \`\${project}#\${id}\`;`,
  ]);
  expect(offences(planted, FLOAT)).toEqual(['planted.ts:6 const price = parseFloat(text);']);
});

const EIGHT_FILES = [
  'core/usage/usage-event.ts',
  'lambdas/ingest/post-events.ts',
  'adapters/dynamodb/usage-log.ts',
  'lambdas/usage/fold-usage.ts',
  'core/usage/fold.ts',
  'statemachines/monthly-billing.asl.json',
  'core/rating/rate.ts',
  'core/invoicing/draft-invoice.ts',
];

test('one event can be followed in eight files', () => {
  expect(EIGHT_FILES.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('the README links the eight files in order, and every link of it leads somewhere', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
  const local = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(local.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  expect(local.filter((link) => EIGHT_FILES.includes(link))).toEqual(EIGHT_FILES);
});
