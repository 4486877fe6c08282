import { invalid } from '../../core/errors.ts';
import { plainDecimal } from '../../core/money/plain-decimal.ts';

/**
 * JSON without lost digits. A number literal of 16 or more digits, or one with an exponent, comes out as a string that holds
 * its value in plain decimal notation; every other literal comes out as a number, which holds up to 15 digits exactly. A
 * literal's form alone decides, never its neighbours.
 */
/** Outside strings a number follows one of these signs. A hit inside a string only costs the slower parse. */
const MAY_LOSE_DIGITS = /[[:, \t\r\n]-?\d(?:[\d.]{15}|[\d.]*[eE])/;
/** A document that is one number has no sign before it; looked for apart, because `^` makes the other look slow. */
const LONE_NUMBER = /^-?\d/;

/** Reads a request body. Throws `invalid` with code `invalid_json`. */
export function parseJson(text: string): unknown {
  try {
    return MAY_LOSE_DIGITS.test(text) || LONE_NUMBER.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    throw invalid('invalid_json', `Got a body that is not JSON (${reason.slice(0, 120)}); expected one JSON document.`);
  }
}

/** `context.source` (the literal as written) is ES2025; TypeScript's library does not declare it yet. */
function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  return losesDigits(source) ? plainDecimal(source) : value;
}

function losesDigits(source: string): boolean {
  if (source.length < 16) return /e/i.test(source);
  return /e/i.test(source) || source.replace(/[-.]/g, '').length >= 16;
}
