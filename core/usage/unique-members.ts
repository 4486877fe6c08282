import { hash } from 'node:crypto';

/**
 * Sets of different values. A value is known by 128 bits of its SHA-256, the same in every project, customer and dimension, so that sets unite
 * exactly whatever they were kept apart by; that two values share them is as unlikely as two events sharing an identity.
 * Within the program a member is 16 latin1 characters; stored, a set is its members in order, in base64.
 */
const MEMBER_BYTES = 16;

/** The member that a value is. Texts that differ in anything are different values. */
export function memberOf(value: string): string {
  return hash('sha256', `member\0${value}`, 'buffer').toString('latin1', 0, MEMBER_BYTES);
}

/** A set as it is stored: equal sets are equal texts. */
export function encodeMembers(members: ReadonlySet<string>): string {
  return Buffer.from([...members].sort().join(''), 'latin1').toString('base64');
}

/** Adds the members of a stored set to `into`. */
export function decodeMembers(text: string, into: Set<string>): Set<string> {
  const bytes = Buffer.from(text, 'base64');
  for (let at = 0; at < bytes.length; at += MEMBER_BYTES) into.add(bytes.toString('latin1', at, at + MEMBER_BYTES));
  return into;
}

/** One of 16 shares that a member belongs to; every `level` shares members out anew. */
export function shareOfMember(member: string, level: number): number {
  return member.charCodeAt(level) % 16;
}
