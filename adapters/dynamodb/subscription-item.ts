import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { nextClose } from '../../core/accounts/next-close.ts';
import { type StoredSubscription, subscriptionSchema } from '../../core/accounts/subscription.ts';
import type { ProjectId } from '../../core/ids.ts';
import { billingKeys } from './keys.ts';

/**
 * The item of a subscription. It stands in the due index (`by_project`) under the close of its next unbilled period and
 * leaves it when nothing is left to bill; `by_customer` lists it under its customer.
 */
export function subscriptionItem(
  project: ProjectId,
  stored: StoredSubscription,
  timeZone: string,
): Record<string, AttributeValue> {
  const { subscription, version } = stored;
  const key = billingKeys.subscription(project, subscription.id);
  const byCustomer = billingKeys.ofCustomer(project, subscription.customer, 'subscription', subscription.id);
  const closesAt = nextClose(subscription, timeZone);
  const due = closesAt === null ? null : billingKeys.due(project, closesAt, subscription.id);
  return {
    pk: { S: key.pk },
    sk: { S: key.sk },
    p2: { S: byCustomer.p2 },
    s2: { S: byCustomer.s2 },
    ...(due === null ? {} : { p1: { S: due.p1 }, s1: { S: due.s1 } }),
    version: { N: String(version) },
    doc: { S: JSON.stringify(subscription) },
  };
}

export function subscriptionFromItem(item: Readonly<Record<string, AttributeValue>>): StoredSubscription {
  return {
    subscription: subscriptionSchema.parse(JSON.parse(item.doc?.S ?? '{}')),
    version: Number(item.version?.N ?? '0'),
  };
}
