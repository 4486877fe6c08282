/**
 * The id of a request's batch is a UUIDv7, so that the log, which keeps batch ids in its receipts, also knows when each event
 * was received. It never decides where or what anything counts.
 */
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?:\.\d+)?$/;

/** A batch id for a request received at `millis`, with the first 10 of the random bytes. */
export function batchIdAt(millis: number, random: Uint8Array): string {
  const time = millis.toString(16).padStart(12, '0');
  const rest = Buffer.from(random.subarray(0, 10));
  rest[0] = 0x70 | ((rest[0] ?? 0) & 0x0f);
  rest[2] = 0x80 | ((rest[2] ?? 0) & 0x3f);
  const hex = rest.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`;
}

/** When the request of a batch was received (ms since 1970); null for an id that does not say. */
export function receivedMillisOf(batchId: string): number | null {
  return UUID_V7.test(batchId) ? Number.parseInt(batchId.slice(0, 8) + batchId.slice(9, 13), 16) : null;
}
