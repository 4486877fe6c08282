import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { estimateApi } from './estimate-api.ts';
import { countsOf, pageOf } from './vectors/page.ts';
import { type Outcome, runVector } from './vectors/run-vector.ts';
import { vectorsSchema } from './vectors/vector.ts';

/** `npm run vectors -- FOLDER`: runs the worked examples of other systems over the estimates and writes docs/vectors.md. */
const PAGE = join(import.meta.dirname, '../docs/vectors.md');

async function run(folder: string, { write }: { readonly write: boolean }): Promise<void> {
  const files = globSync('*.json', { cwd: folder }).sort();
  const vectors = files.flatMap((file) => vectorsSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))));
  const ask = estimateApi();
  const outcomes: Outcome[] = [];
  for (const vector of vectors) outcomes.push(await runVector(vector, ask));
  const wrong = outcomes.filter(({ verdict }) => verdict === 'mismatch');
  for (const { id, reason } of wrong) console.error(`${id}: ${reason}`);
  console.log(countsOf(outcomes));
  if (write && wrong.length === 0) writeFileSync(PAGE, pageOf(outcomes));
  process.exitCode = wrong.length === 0 && vectors.length > 0 ? 0 : 1;
}

await new Command('vectors')
  .description('Runs the worked examples in a folder over POST /v1/estimates and writes docs/vectors.md')
  .argument('<folder>', 'a folder of JSON files, each a list of examples')
  .option('--no-write', 'only compare')
  .action(run)
  .parseAsync();
