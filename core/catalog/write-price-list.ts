import { canonicalJson } from '../canonical-json.ts';
import { BillingError, invalid } from '../errors.ts';
import type { ProjectId } from '../ids.ts';
import type { MeterStore, PriceListStore } from './ports.ts';
import type { PriceListVersion } from './price-list.ts';
import { readPriceList } from './read-price-list.ts';

const TRIES = 5;
/** A version is one item of the database, which holds 400 KB; characters of JSON. */
const MAX_DOCUMENT_LENGTH = 100_000;

/**
 * Writes the project's price list in a currency: its next version, or the newest where it equals that. Service that is not
 * billed yet is priced by the newest version when it is; invoices that are issued keep theirs. Throws `price_list_invalid`
 * with every fault, or `price_list_too_large`.
 */
export async function writePriceList(
  input: { project: ProjectId; list: unknown },
  deps: { lists: PriceListStore; meters: MeterStore },
): Promise<{ readonly version: PriceListVersion; readonly isNew: boolean }> {
  const { project } = input;
  const { meters } = await deps.meters.newest(project, 'fresh');
  const list = readPriceList(input.list, meters);
  if (JSON.stringify(list).length > MAX_DOCUMENT_LENGTH) {
    throw invalid(
      'price_list_too_large',
      `The price list is larger than ${MAX_DOCUMENT_LENGTH} characters; use fewer charges or tiers.`,
    );
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const newest = await deps.lists.newest(project, list.currency);
    const version: PriceListVersion = { ...list, version: (newest?.version ?? 0) + 1 };
    if (newest && canonicalJson({ ...version, version: newest.version }) === canonicalJson(newest)) {
      return { version: newest, isNew: false };
    }
    if ((await deps.lists.create(project, version)) === 'stored') return { version, isNew: true };
  }
  throw new BillingError({
    kind: 'not-ready',
    code: 'write_contended',
    message: `Other versions of the price list in ${list.currency} were being written. Send the same request again.`,
  });
}
