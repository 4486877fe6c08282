import type { ApiKeyDeps } from '../../core/accounts/create-api-key.ts';
import type { CreateSubscriptionDeps } from '../../core/accounts/create-subscription.ts';
import type { MeterStore } from '../../core/catalog/ports.ts';
import type { AuditDeps } from '../../core/usage/audit-usage.ts';
import type { DecideDeps } from '../../core/usage/decide-parked.ts';
import { checkRoute, consumeRoute } from './document/entitlement-routes.ts';
import { eventsRoute } from './document/events-route.ts';
import { stripeWebhookRoute } from './document/stripe-webhook-route.ts';
import type { Route } from './route.ts';
import { auditRoute } from './routes/audit.ts';
import { type BackfillDeps, backfillRoutes } from './routes/backfills.ts';
import { type BillingRunDeps, billingRunRoutes } from './routes/billing-runs.ts';
import { conflictsRoute } from './routes/conflicts.ts';
import { contractVersionsRoute } from './routes/contract-versions.ts';
import { type ContractDeps, contractRoutes } from './routes/contracts.ts';
import { type CustomerDeps, customerRoutes } from './routes/customers.ts';
import { entitlementGrantRoutes, type GrantDeps } from './routes/entitlement-grants.ts';
import { type EstimateDeps, estimateRoute } from './routes/estimates.ts';
import { type SearchDeps, searchRoute } from './routes/events.ts';
import { type ExplainEventDeps, explainRoute } from './routes/explain-event.ts';
import { type InvoiceDeps, invoiceRoutes } from './routes/invoices.ts';
import { type JobDeps, jobRoutes } from './routes/jobs.ts';
import { keyChangeRoutes } from './routes/key-changes.ts';
import { keyRoutes } from './routes/keys.ts';
import { meterRoutes } from './routes/meters.ts';
import { parkedRoutes } from './routes/parked.ts';
import { planVersionRoutes } from './routes/plan-versions.ts';
import { planRoutes } from './routes/plans.ts';
import { type PriceListDeps, priceListRoutes } from './routes/price-lists.ts';
import { type RateLimitDeps, rateLimitRoutes } from './routes/rate-limits.ts';
import { rebuildMeterRoute } from './routes/rebuild-meter.ts';
import { type SettingsDeps, settingsRoutes } from './routes/settings.ts';
import { subscriptionChangeRoutes } from './routes/subscription-changes.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { systemRoutes } from './routes/system.ts';
import { type UsageDeps, usageRoutes } from './routes/usage.ts';
import { type VerifyDeps, verifyInvoiceRoute } from './routes/verify-invoice.ts';
import { type VoidRouteDeps, voidEventsRoute } from './routes/void-events.ts';

/** What all routes need together. */
export type RouteDeps = CreateSubscriptionDeps &
  ApiKeyDeps &
  BackfillDeps &
  JobDeps &
  DecideDeps &
  AuditDeps &
  ContractDeps &
  PriceListDeps &
  CustomerDeps &
  UsageDeps &
  SearchDeps &
  VoidRouteDeps &
  ExplainEventDeps &
  InvoiceDeps &
  EstimateDeps &
  VerifyDeps &
  BillingRunDeps &
  SettingsDeps &
  GrantDeps &
  RateLimitDeps & { readonly meters: MeterStore };

/** Every route of the API function, in the order of the document. */
export function routesOf(deps: RouteDeps): readonly Route[] {
  const routes: readonly Route[] = [
    ...meterRoutes(deps),
    rebuildMeterRoute(deps),
    ...planRoutes(deps),
    ...planVersionRoutes(deps),
    ...contractRoutes(deps),
    contractVersionsRoute(deps),
    ...priceListRoutes(deps),
    ...customerRoutes(deps),
    ...subscriptionRoutes(deps),
    ...subscriptionChangeRoutes(deps),
    ...entitlementGrantRoutes(deps),
    ...usageRoutes(deps),
    searchRoute(deps),
    voidEventsRoute(deps),
    conflictsRoute(deps),
    explainRoute(deps),
    ...backfillRoutes(deps),
    ...parkedRoutes(deps),
    auditRoute(deps),
    ...jobRoutes(deps),
    estimateRoute(deps),
    ...invoiceRoutes(deps),
    verifyInvoiceRoute(deps),
    ...billingRunRoutes(deps),
    ...settingsRoutes(deps),
    ...rateLimitRoutes(deps),
    ...keyRoutes(deps),
    ...keyChangeRoutes(deps),
    ...systemRoutes(() => documentedRoutes(routes)),
  ];
  return routes;
}

/** The routes of the document: those of this function and those that others serve. */
export function documentedRoutes(routes: readonly Route[]): readonly Route[] {
  return [eventsRoute, checkRoute, consumeRoute, ...routes, stripeWebhookRoute];
}
