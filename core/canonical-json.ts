/** What JSON makes of a type: bigints become decimal strings, everything else stays. */
export type JsonOf<T> = T extends bigint
  ? string
  : T extends string | number | boolean | null | undefined
    ? T
    : { [K in keyof T]: JsonOf<T[K]> };

/**
 * The one JSON text of a value: members sorted by name (array indexes first, then UTF-16 code units), no spaces, bigints as decimal strings, members
 * that are undefined left out. Equal values have equal texts, so a hash of the text names the content.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member === 'bigint') return member.toString();
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const entries = Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    // from entries and not by assignment: a member called __proto__ is a member like any other
    return Object.fromEntries(entries);
  });
}
