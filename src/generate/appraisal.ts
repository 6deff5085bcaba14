/**
 * Looks at an answer beside the copy there is: is it the same, the same but for its slots, and what does it say? Admission doubts by it, change rates
 * are learned from it, fidelity is measured by it; so that a body is read once for all of them. Only reads; an answer that is the copy byte for byte is
 * not even parsed.
 */
import { contentKind, type Doubt, type ShadowRecord } from '../catalog/index.ts';
import { compileSeed, digestOutside, findHoles, type Dynamics, type Hole } from '../compose/index.ts';
import { decodeBody, headerReader, type HeaderList } from '../http/index.ts';
import type { BlobDigest } from '../kernel/index.ts';
import { digestOf } from '../store/index.ts';
import type { Seen } from './fidelity.ts';
import { textDoubt, type UsualText } from './text-doubt.ts';
import { plainText, visibleText, type VisibleText } from './visible-text.ts';

/** A larger text is not read. */
export const readBytesMax = 4 * 1024 * 1024;

export interface Appraisal {
  /** Byte for byte the copy there is. */
  readonly same: boolean;
  /** Whether anything but its slots differs from the copy there is; true where there is none. */
  readonly changed: boolean;
  readonly live: Seen;
  /** Undefined where there is no copy, its body can't be had, or nothing differs. */
  readonly served: Seen | undefined;
  readonly doubt: Doubt | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

export interface AppraisalParts {
  readonly dynamics: Dynamics;
  readonly previous: ShadowRecord | undefined;
  readonly usual: UsualText | undefined;
  readonly bodyOf: (digest: BlobDigest) => Promise<Uint8Array | undefined>;
}

export async function appraise(answer: Answered, parts: AppraisalParts): Promise<Appraisal> {
  const { previous } = parts;
  const contentType = typeOf(answer.headers);
  const unread: Seen = { status: answer.status, contentType, text: undefined };
  if (previous && previous.bodyBytes === answer.body.length && previous.status === answer.status && previous.body === digestOf(answer.body)) {
    return { same: true, changed: false, live: unread, served: undefined, doubt: undefined };
  }
  const live = read(answer, parts.dynamics);
  const before = previous && contentKind(contentType) !== 'other' ? await readCopy(previous, parts) : undefined;
  const page = contentKind(contentType) === 'html' && answer.status < 300;
  return {
    same: false, live: { ...unread, text: live?.text },
    changed: !before || !live || before.outside !== live.outside || previous?.status !== answer.status,
    served: previous && { status: previous.status, contentType: typeOf(previous.headers), text: before?.text },
    doubt: page && live ? textDoubt(live.text, parts.usual ?? before?.text, before?.text) : undefined,
  };
}

interface Read {
  readonly text: VisibleText;
  /** Digest of everything outside the slots. */
  readonly outside: string;
}

async function readCopy(record: ShadowRecord, { bodyOf, dynamics }: AppraisalParts): Promise<Read | undefined> {
  const body = record.bodyBytes <= readBytesMax ? await bodyOf(record.body) : undefined;
  return body && read({ status: record.status, headers: record.headers, body }, dynamics);
}

/** Undefined for what is no text, or too much of it. */
function read({ headers, body }: Answered, dynamics: Dynamics): Read | undefined {
  const contentType = typeOf(headers);
  const kind = contentKind(contentType);
  if (kind === 'other') return undefined;
  const plain = decodeBody(body, headerReader(headers).get('content-encoding'), readBytesMax);
  if (!plain || plain.length > readBytesMax) return undefined;
  const { holes } = findHoles({ contentType, headers: headers.filter(([name]) => name !== 'content-encoding'), body: plain }, dynamics);
  const text = decoderOf(contentType).decode(outsideOf(plain, holes));
  return { text: kind === 'html' ? visibleText(text) : plainText(text), outside: digestOutside(plain, holes) };
}

function outsideOf(body: Uint8Array, holes: readonly Hole[]): Uint8Array {
  return holes.length === 0 ? body : Buffer.concat(compileSeed(body, holes).segments);
}

function decoderOf(contentType: string): TextDecoder {
  const charset = /;\s*charset="?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset as ConstructorParameters<typeof TextDecoder>[0]); // any label may be asked for; an unknown one throws
  } catch {
    return new TextDecoder();
  }
}

function typeOf(headers: HeaderList): string {
  return headerReader(headers).get('content-type') ?? '';
}
