const KNOWN = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));

const EXPONENTS: ReadonlyMap<bigint, number> = new Map(KNOWN.map((power, exponent) => [power, exponent]));

/** 10 to the power of a whole `exponent` of at least 0; the small ones, which nearly all are, are not computed again. */
export function powerOfTen(exponent: number): bigint {
  return KNOWN[exponent] ?? 10n ** BigInt(exponent);
}

/** The exponent of a power of ten below 10^64; undefined for other numbers. */
export function exponentOf(power: bigint): number | undefined {
  return EXPONENTS.get(power);
}
