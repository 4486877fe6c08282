/**
 * The custom metrics of the product and who emits them. They leave as embedded metric format (Powertools `Metrics`) in the
 * namespace below, with the one dimension `service` that Powertools takes from POWERTOOLS_SERVICE_NAME. The alarms in lib/
 * use these names by `import type`, so an alarm on a metric that nobody emits does not compile.
 */
export const METRICS_NAMESPACE = 'Countinghouse';

export const METRIC = {
  /** Seconds since the oldest chunk that is in the log but not yet in the views. Emitted by fold-usage and sweep-usage. */
  FoldLagSeconds: 'Seconds',
  /** Seconds since the oldest consumption whose event was perhaps never sent. Emitted by sweep-usage, 0 when there is none. */
  UnsentConsumptionSeconds: 'Seconds',
  /** Hours since the oldest log partition that waits could have been archived. Emitted by archive-usage, 0 when there is none. */
  ArchiveOverdueHours: 'Count',
  /** Customers' days whose views and log do not agree, and such a comparison that did not end. Emitted by reconcile-usage and reconcile-sample. */
  DisputedDays: 'Count',
  /** Seconds since the oldest event that waits in an outbox. Emitted by publish-outbox, 0 when there is none. */
  OutboxAgeSeconds: 'Seconds',
  /** Billing runs that ended as failed. Emitted by finish-run. */
  BillingRunFailed: 'Count',
  /** Webhooks that were refused or could not be applied. Emitted by receive-stripe and apply-stripe. */
  WebhookFailed: 'Count',
  /**
   * Usage messages moved from the dead letters into durable parking, and events that folding set aside there. Emitted by
   * park-messages, fold-usage and sweep-usage.
   */
  ParkedMessages: 'Count',
} as const;

export type MetricName = keyof typeof METRIC;
/** The namespace as a type, for lib/. */
export type MetricsNamespace = typeof METRICS_NAMESPACE;
