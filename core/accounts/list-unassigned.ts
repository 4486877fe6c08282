import type { CustomerId, ProjectId } from '../ids.ts';
import type { CustomerStore, Page, PageRequest, SeenCustomers } from './ports.ts';

/**
 * Customers that usage has named and nobody has created: their usage is counted, and billed once they exist. A page may hold
 * fewer than `limit`, even none, while there is a cursor.
 */
export async function listUnassigned(
  input: { project: ProjectId; page: PageRequest },
  deps: { customers: Pick<CustomerStore, 'known'>; seen: SeenCustomers },
): Promise<Page<{ readonly id: CustomerId }>> {
  const seen = await deps.seen.list(input.project, input.page);
  const known = await deps.customers.known(input.project, seen.items);
  return { items: seen.items.filter((id) => !known.has(id)).map((id) => ({ id })), cursor: seen.cursor };
}
