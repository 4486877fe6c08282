/** The property of that name, if the event has one; what every object inherits is not its own. */
export function propertyOf(properties: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}
