import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourceFiles } from './rooms.ts';

/** Beyond this a file is split, not discussed. */
const MOST_LINES = 300;
/** A handler is parse, one core call, map the result. */
const MOST_HANDLER_LINES = 120;
const HANDLER = /^lambdas\/((ingest|usage|billing|webhooks)\/[^/]+|api\/(api|routes\/.+))\.ts$/;
const FORBIDDEN_NAME = /(^|[-./])(utils?|helpers?|managers?|services?|common|misc)([-./]|$)/;
/** Named by the design of the house: the stack that is not the data stack. */
const ALLOWED_NAMES = ['lib/service-stack.ts'];

function linesOf(file: string): number {
  return readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length;
}

test(`no source file is longer than ${MOST_LINES} lines`, () => {
  const long = sourceFiles().map((file) => ({ file, lines: linesOf(file) }));
  expect(long.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
});

test(`no function's file is longer than ${MOST_HANDLER_LINES} lines`, () => {
  const handlers = sourceFiles().filter((file) => HANDLER.test(file));
  const long = handlers.map((file) => ({ file, lines: linesOf(file) }));
  expect(long.filter(({ lines }) => lines > MOST_HANDLER_LINES)).toEqual([]);
});

test('files are named in kebab case, after what they hold', () => {
  const odd = sourceFiles().filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.types|\.d)?\.m?tsx?$/.test(basename(file)) && !file.endsWith('.mjs'),
  );
  expect(odd).toEqual([]);
  expect(sourceFiles().filter((file) => FORBIDDEN_NAME.test(file) && !ALLOWED_NAMES.includes(file))).toEqual([]);
});
