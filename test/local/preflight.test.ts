import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preflight } from '../../local/preflight.ts';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'preflight-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

test('a state folder that a living process has is refused, and so are both --reset and a second stack', async () => {
  writeFileSync(path.join(stateDir, 'stack.pid'), String(process.pid));
  await expect(preflight({ stateDir, port: 0 })).rejects.toThrow(
    `${stateDir} is in use by process ${process.pid}; stop`,
  );
});

test('a state folder that a killed process left behind is free', async () => {
  writeFileSync(path.join(stateDir, 'stack.pid'), '0');
  await preflight({ stateDir, port: 0 });
});

test('a taken port is refused with what to do', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await expect(preflight({ stateDir, port })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is taken; stop what listens there, or choose another with --port.`,
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
