/**
 * CloudWatch metrics: a sink for the embedded metric format that functions print.
 *
 * Owns: reading EMF lines and answering questions about them, in memory. Does not own: alarms, log lines (local/lambda
 * passes every line here and prints those that are none).
 */
export interface MetricValue {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
  /** ms since the epoch, as the function said. */
  readonly timestamp: number;
  readonly function: string;
}

export interface MetricQuery {
  readonly namespace?: string;
  readonly name?: string;
  readonly function?: string;
  /** Dimensions that must be there with these values. */
  readonly dimensions?: Readonly<Record<string, string>>;
}

interface Directive {
  readonly Namespace?: string;
  readonly Dimensions?: readonly (readonly string[])[];
  readonly Metrics?: readonly { readonly Name: string; readonly Unit?: string }[];
}

/** Values kept; older ones are forgotten. */
const MOST_VALUES = 100_000;

export class MetricsSink {
  #values: MetricValue[] = [];

  /** Takes a line of a function's output. Says whether it was a metric. */
  take(functionName: string, line: string): boolean {
    if (!line.includes('"CloudWatchMetrics"')) return false;
    const record = parsed(line);
    const aws = record?._aws as { Timestamp?: number; CloudWatchMetrics?: Directive[] } | undefined;
    if (record === undefined || !Array.isArray(aws?.CloudWatchMetrics)) return false;
    for (const directive of aws.CloudWatchMetrics) {
      const dimensions = Object.fromEntries(
        (directive.Dimensions ?? []).flat().map((key) => [key, String(record[key])]),
      );
      for (const { Name, Unit } of directive.Metrics ?? []) {
        for (const value of [record[Name]].flat()) {
          if (typeof value !== 'number') continue;
          this.#values.push({
            namespace: directive.Namespace ?? '',
            name: Name,
            unit: Unit ?? 'None',
            value,
            dimensions,
            timestamp: aws.Timestamp ?? 0,
            function: functionName,
          });
        }
      }
    }
    if (this.#values.length > MOST_VALUES) this.#values = this.#values.slice(-MOST_VALUES / 2);
    return true;
  }

  /** The values that a query matches, oldest first. */
  values(query: MetricQuery = {}): MetricValue[] {
    return this.#values.filter(
      (metric) =>
        (query.namespace === undefined || metric.namespace === query.namespace) &&
        (query.name === undefined || metric.name === query.name) &&
        (query.function === undefined || metric.function === query.function) &&
        Object.entries(query.dimensions ?? {}).every(([key, value]) => metric.dimensions[key] === value),
    );
  }

  /** Their sum; 0 when there are none. */
  sum(query: MetricQuery): number {
    return this.values(query).reduce((total, metric) => total + metric.value, 0);
  }

  clear(): void {
    this.#values = [];
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
