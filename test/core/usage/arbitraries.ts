import fc from 'fast-check';

/** Text as the door lets it in: any characters but control characters, half surrogates, U+FFFE and U+FFFF. */
export function text(min: number, max: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'grapheme', minLength: min, maxLength: max })
    .map((value) => value.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, 'x'));
}
