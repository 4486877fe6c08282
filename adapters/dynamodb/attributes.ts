import { gunzipSync, gzipSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { invariantBroken } from '../../core/errors.ts';
import type { Key } from './keys.ts';

/** Reading DynamoDB attributes by type; an attribute that is missing or of another type is damaged data, and says which. */
export type Item = Record<string, AttributeValue>;

function damaged(name: string, type: string, item: Item): never {
  throw invariantBroken('item_damaged', `Attribute ${name} of item ${item.pk?.S ?? '?'} is not ${type}.`);
}

export function textAt(item: Item, name: string): string {
  return item[name]?.S ?? damaged(name, 'a text', item);
}

/** A whole number that JavaScript holds exactly. */
export function numberAt(item: Item, name: string): number {
  const text = item[name]?.N ?? damaged(name, 'a number', item);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : damaged(name, 'a safe whole number', item);
}

export function bytesAt(item: Item, name: string): Uint8Array {
  return item[name]?.B ?? damaged(name, 'bytes', item);
}

/** Longer documents are stored compressed: an item holds 400 KB, and the rows of an invoice shrink to a fortieth. */
const MAX_PLAIN_LENGTH = 32_768;

/** A text that may be longer than an item holds; `longTextAt` is the inverse. */
export function longText(text: string): AttributeValue {
  return text.length <= MAX_PLAIN_LENGTH ? { S: text } : { B: gzipSync(text) };
}

export function longTextAt(item: Item, name: string): string {
  const bytes = item[name]?.B;
  return bytes === undefined ? textAt(item, name) : gunzipSync(bytes).toString();
}

/** The key of an item in a table of text keys. */
export function keyAttributes(key: Key): Item {
  return { pk: { S: key.pk }, sk: { S: key.sk } };
}

/** The entity an item holds as JSON in its attribute `doc`. */
export function documentOf<T>(item: Item): T {
  return JSON.parse(textAt(item, 'doc'));
}
