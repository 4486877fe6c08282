/** What is read of Stryker's JSON report (schema "mutation-testing-report"). */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

export interface FileScore {
  readonly file: string;
  readonly killed: number;
  /** Mutants that made the tests run without end count as noticed. */
  readonly timedOut: number;
  readonly survived: number;
  /** Survivors in lines that no test runs. */
  readonly uncovered: number;
  /** Percent of the mutants that the tests noticed, with one decimal; 100 where there are none. */
  readonly score: number;
  /** `file:line:column Mutator: from -> to`. */
  readonly survivors: readonly string[];
}

export interface Scores {
  readonly files: readonly FileScore[];
  readonly total: FileScore;
}

export function scoresOf(report: MutationReport): Scores {
  const files = Object.entries(report.files)
    .map(([file, { source, mutants }]) => fileScore(file, source, mutants))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1));
  const sum = (field: 'killed' | 'timedOut' | 'survived' | 'uncovered') =>
    files.reduce((total, file) => total + file[field], 0);
  const counts = {
    killed: sum('killed'),
    timedOut: sum('timedOut'),
    survived: sum('survived'),
    uncovered: sum('uncovered'),
  };
  return { files, total: { file: 'all', ...counts, score: scoreOf(counts), survivors: [] } };
}

/** A Markdown table, one row a file. */
export function tableOf({ files, total }: Scores): string {
  const rows = [...files, total].map(
    ({ file, killed, timedOut, survived, uncovered, score }) =>
      `| ${file} | ${score.toFixed(1)} | ${killed} | ${timedOut} | ${survived} | ${uncovered} |`,
  );
  const head = '| file | score | killed | timed out | survived | not covered |\n| --- | --- | --- | --- | --- | --- |';
  return [head, ...rows].join('\n');
}

function fileScore(file: string, source: string, mutants: readonly Mutant[]): FileScore {
  const count = (status: string) => mutants.filter((mutant) => mutant.status === status).length;
  const counts = {
    killed: count('Killed'),
    timedOut: count('Timeout'),
    survived: count('Survived'),
    uncovered: count('NoCoverage'),
  };
  const survivors = mutants
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map((mutant) => survivorText(file, source, mutant));
  return { file, ...counts, score: scoreOf(counts), survivors };
}

function scoreOf(counts: Pick<FileScore, 'killed' | 'timedOut' | 'survived' | 'uncovered'>): number {
  const noticed = counts.killed + counts.timedOut;
  const all = noticed + counts.survived + counts.uncovered;
  return all === 0 ? 100 : Math.floor((noticed * 1000) / all) / 10;
}

function survivorText(file: string, source: string, { location, mutatorName, replacement = '' }: Mutant): string {
  const { start, end } = location;
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const text = lines
    .map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined))
    .join(' ');
  const short = (code: string) => code.replace(/\s+/g, ' ').slice(0, 90);
  return `${file}:${start.line}:${start.column} ${mutatorName}: ${short(text)} -> ${short(replacement)}`;
}
