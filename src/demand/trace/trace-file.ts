/**
 * Reads a trace file as a stream: plain, gzip or zstd by its first bytes, JSON or log lines by each line's first character
 * (or as told). Holds one batch of lines at a time. A file that can't be opened ends the run; a bad line or a compressed file
 * that breaks off does not.
 */
import type { ReadStream } from 'node:fs';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ForeshadowError, messageOf } from '../../kernel/index.ts';
import { parseCombinedLine } from './combined-line.ts';
import { parseJsonLine } from './json-line.ts';
import type { TraceFault, TraceFindings, TraceRequest } from './trace-request.ts';

export const traceFormats = ['auto', 'combined', 'json'] as const;
export type TraceFormat = (typeof traceFormats)[number];

const lineCharactersMax = 65_536;
const chunkBytes = 256 * 1024;

/** The requests of one file, in its order, in batches. What can't be read goes to `findings`; `onBytes` is told how much of the file has been read. */
export async function* readTraceFile(path: string, format: TraceFormat, findings: TraceFindings, onBytes: (bytes: number) => void = () => undefined): AsyncGenerator<TraceRequest[]> {
  let lineNumber = 0;
  for await (const lines of readLines(path, findings, onBytes)) {
    const batch: TraceRequest[] = [];
    for (const line of lines) {
      lineNumber++;
      if (line === '' || line === '\r') continue;
      const result = parseLine(line, format);
      if (typeof result === 'string') {
        findings.add(result, `${path}:${lineNumber}`, line);
        continue;
      }
      if (result.oddity !== undefined) findings.add(result.oddity, `${path}:${lineNumber}`, line);
      batch.push(result);
    }
    if (batch.length > 0) yield batch;
  }
}

/** The time of the first line that can be read; undefined when there is none. */
export async function firstTimeMs(path: string, format: TraceFormat, findings: TraceFindings): Promise<number | undefined> {
  for await (const batch of readTraceFile(path, format, findings)) {
    const first = batch[0];
    if (first) return first.timeMs;
  }
  return undefined;
}

function parseLine(line: string, format: TraceFormat): TraceRequest | TraceFault {
  if (line.length > lineCharactersMax) return 'too-long';
  const json = format === 'json' || (format === 'auto' && line.trimStart().startsWith('{'));
  return json ? parseJsonLine(line) : parseCombinedLine(line);
}

async function* readLines(path: string, findings: TraceFindings, onBytes: (bytes: number) => void): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    const { content, file } = openStream(path);
    for await (const chunk of content) {
      onBytes(file.bytesRead);
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n'); // no encoding is set, so chunks are bytes
      rest = lines.pop() ?? '';
      // The start of an endless line is kept, so that it is counted once, and its end thrown away.
      if (rest.length > 2 * lineCharactersMax) rest = rest.slice(0, lineCharactersMax + 1);
      yield lines;
    }
  } catch (thrown) {
    if (thrown instanceof ForeshadowError) throw thrown;
    findings.add('cut-file', path, messageOf(thrown));
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}

function openStream(path: string): { readonly content: Readable; readonly file: ReadStream } {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file');
    const magic = firstBytes(path, 4);
    const file = createReadStream(path, { highWaterMark: chunkBytes });
    if (magic[0] === 0x1f && magic[1] === 0x8b) return { file, content: decompressed(file, createGunzip({ chunkSize: chunkBytes })) };
    if (magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd) return { file, content: decompressed(file, createZstdDecompress({ chunkSize: chunkBytes })) };
    return { file, content: file };
  } catch (cause) {
    throw new ForeshadowError('trace-unreadable', {
      source: 'client', message: `trace ${path} can not be read: ${messageOf(cause)}`, hint: 'give the path of a log file, plain, gzip or zstd', cause,
    });
  }
}

function decompressed(file: Readable, decompressor: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>): Readable {
  file.on('error', (error) => decompressor.destroy(error));
  return file.pipe(decompressor);
}

function firstBytes(path: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, length, 0);
  } finally {
    closeSync(file);
  }
  return bytes;
}
