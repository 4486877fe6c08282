/** Output of functions, line by line, and the log files it ends in. */
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Calls `onLine` for each line without its line break; a last line without one counts. */
export function linesOf(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
}

export interface FunctionLog {
  write(line: string): void;
  close(): Promise<void>;
}

/** Appends to `<folder>/<function>.log`. */
export function openFunctionLog(folder: string, functionName: string): FunctionLog {
  mkdirSync(folder, { recursive: true });
  const file = createWriteStream(path.join(folder, `${functionName}.log`), { flags: 'a' });
  // A full disk or a removed folder must not end the stack; what was lost is only a log line.
  file.on('error', () => undefined);
  return {
    write: (line) => void file.write(`${line}\n`),
    close: () => new Promise((resolve) => file.end(resolve)),
  };
}
