import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { BillingRunId, ProjectId } from '../../core/ids.ts';
import type { ManifestPeriod, ManifestRow } from '../../core/invoicing/billing-run.ts';
import type { ManifestStore } from '../../core/invoicing/ports.ts';
import { isAlreadyThere } from './already-there.ts';

const keyOf = (project: ProjectId, run: BillingRunId) => `manifests/${project}/${run}.json`;

/**
 * The manifest of a run in the archive bucket: a JSON array that the Distributed Map reads, in the words of the workflow
 * (snake_case). The first one written stays, so that every repetition of the run bills the same list.
 */
export function manifestStore(client: S3Client, bucket: string): ManifestStore {
  return {
    place: (project, run) => ({ bucket, key: keyOf(project, run) }),
    async writeOnce(project, run, rows) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: keyOf(project, run),
            Body: JSON.stringify(rows.map((row) => wireRow(project, run, row))),
            ContentType: 'application/json',
            IfNoneMatch: '*',
          }),
        );
        return 'stored';
      } catch (error) {
        if (isAlreadyThere(error)) return 'kept';
        throw error;
      }
    },
    async read(project, run) {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(project, run) }));
      const text = (await answer.Body?.transformToString()) ?? '[]';
      return (JSON.parse(text) as WireRow[]).map(rowFromWire);
    },
  };
}

interface WireRow {
  readonly project_id: string;
  readonly run_id: string;
  readonly account: string;
  readonly customer: string;
  readonly currency: string;
  readonly periods: readonly (Omit<ManifestPeriod, 'invoiceId'> & {
    readonly invoice_id: ManifestPeriod['invoiceId'];
  })[];
  readonly invoice_ids: ManifestRow['invoiceIds'];
  readonly open_ids: ManifestRow['openIds'];
}

function wireRow(project: ProjectId, run: BillingRunId, row: ManifestRow): WireRow {
  const { account, customer, currency, periods, invoiceIds, openIds } = row;
  return {
    project_id: project,
    run_id: run,
    account,
    customer,
    currency,
    periods: periods.map(({ invoiceId, ...period }) => ({ ...period, invoice_id: invoiceId })),
    invoice_ids: invoiceIds,
    open_ids: openIds,
  };
}

/** A row as it comes out of the manifest, in the map's batches too. */
export function rowFromWire(row: WireRow): ManifestRow {
  const { account, customer, currency, periods, invoice_ids, open_ids } = row;
  return {
    account,
    customer,
    currency,
    periods: periods.map(({ invoice_id, ...period }) => ({ ...period, invoiceId: invoice_id })),
    invoiceIds: invoice_ids,
    openIds: open_ids,
  };
}
