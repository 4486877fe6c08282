/**
 * How usage that came through `consume` is told apart. Its event carries the property below, which no client can send, because
 * property names have no control characters; folding adds its quantity under a meter of that name too, which no project can
 * have, because keys have no colons. So a quota knows exactly how much of what was consumed its views have seen.
 */
export const CONSUMED_PROPERTY = '\tconsumed';
const PREFIX = 'consumed:';

/** Which quota: its feature and the digest that tells its windows and meters apart. */
interface QuotaName {
  readonly feature: string;
  readonly digest: string;
}

/** The hidden meter of a quota. */
export function consumedMeterOf({ feature, digest }: QuotaName): string {
  return `${PREFIX}${feature}:${digest}`;
}

/** Whether views hold the meter for quotas only: nobody bills or lists it. */
export function isConsumedMeter(meter: string): boolean {
  return meter.startsWith(PREFIX);
}

/** What the event of a consumption carries: how much, and for which quota. */
export function consumedMark(key: QuotaName, quantity: string): string {
  return `${quantity}@${consumedMeterOf(key)}`;
}

/** The inverse of `consumedMark`; null for an event that was not consumed. */
export function consumedOf(
  properties: Readonly<Record<string, string>>,
): { readonly meter: string; readonly quantity: string } | null {
  const mark = properties[CONSUMED_PROPERTY];
  if (mark === undefined) return null;
  const at = mark.indexOf('@');
  return { quantity: mark.slice(0, at), meter: mark.slice(at + 1) };
}

/** The properties as the client sent them, without the mark of a consumption. */
export function sentProperties(properties: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (properties[CONSUMED_PROPERTY] === undefined) return properties;
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name !== CONSUMED_PROPERTY));
}
