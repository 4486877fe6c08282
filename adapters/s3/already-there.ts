/** Whether S3 refused a put with `If-None-Match: *` because the key is taken. */
export function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && error.name === 'PreconditionFailed';
}
