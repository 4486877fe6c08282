import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './rooms.ts';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

/** The place where npm finds `name` from `holder`: its own node_modules, or one further out. */
function isLocked(holder: string, name: string): boolean {
  const places = [holder];
  for (let at = holder.lastIndexOf('/node_modules/'); at >= 0; at = holder.lastIndexOf('/node_modules/', at - 1)) {
    places.push(holder.slice(0, at));
  }
  return [...places, ''].some((place) => lock.packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`]);
}

test('the lock file names the binaries of every platform, so that `npm ci` takes it on each of them', () => {
  // A registry mirror that holds only one platform's packages drops the others from the lock when it is written.
  const missing = Object.entries(lock.packages).flatMap(([holder, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(holder, name)),
  );
  expect(missing).toEqual([]);
});

test('the lock file names no registry: a package comes from wherever this machine gets its packages', () => {
  expect(JSON.stringify(lock)).not.toMatch(/"resolved":"http/);
});

test('every version in package.json is exact', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, range]) => !/^\d+\.\d+\.\d+$/.test(range),
  );
  expect(loose).toEqual([]);
});
