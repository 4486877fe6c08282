import { createServer } from 'node:net';
import { findJava } from './parts/dynamodb.ts';
import { refuseStateInUse } from './state-lock.ts';

/** What would stop a start half a minute later is told at once. Throws one sentence that says what to do. */
export async function preflight(input: { readonly stateDir: string; readonly port: number }): Promise<void> {
  refuseStateInUse(input.stateDir);
  findJava();
  if (input.port !== 0) await refusePortInUse(input.port);
}

function refusePortInUse(port: number): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const taken = `Port ${port} of 127.0.0.1 is taken; stop what listens there, or choose another with --port.`;
      reject(new Error(code === 'EADDRINUSE' ? taken : message));
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}
