import { Server } from 'node:net';

/**
 * The process of the SQS part: fauxqs, forced onto 127.0.0.1 (it asks for all interfaces), on a port the system chose.
 * It ends when the channel to its parent closes, so it never outlives it. Started by sqs.ts; the folder is argument 1.
 */
const listen = Server.prototype.listen;
Server.prototype.listen = function listenLocally(this: Server, ...all: unknown[]): Server {
  const options = all[0];
  if (typeof options !== 'object' || options === null)
    throw new Error('fauxqs listens in a way that is not known here');
  return Reflect.apply(listen, this, [{ ...options, host: '127.0.0.1' }, ...all.slice(1)]) as Server;
};

process.once('disconnect', () => process.exit(0));

/**
 * SQS takes every character of XML, those beyond U+FFFF too. fauxqs looks at UTF-16 units and would refuse them, so its
 * pattern gets a test of its own.
 */
const NOT_TAKEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const types: { INVALID_MESSAGE_BODY_CHAR?: RegExp } = await import(
  new URL('sqs/sqsTypes.js', import.meta.resolve('fauxqs')).href
);
if (types.INVALID_MESSAGE_BODY_CHAR === undefined)
  throw new Error('fauxqs looks at characters in a way that is not known here');
types.INVALID_MESSAGE_BODY_CHAR.test = (text) => NOT_TAKEN.test(text);

const { startFauxqs } = await import('fauxqs');
const folder = process.argv[2];
const server = await startFauxqs({
  port: 0,
  logger: false,
  defaultRegion: 'us-east-1',
  ...(folder === undefined ? {} : { dataDir: folder }),
});
process.on('message', (message) => {
  if (message === 'stop') void server.stop().finally(() => process.exit(0));
});
process.send?.({ port: server.port });
