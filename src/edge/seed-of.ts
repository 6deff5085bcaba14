/**
 * What is kept of an answer whose page will be put together: a plain seed, whatever coding it passed in, and without what is one
 * visitor's own: the places of tokens are emptied, for each reader's answer has that reader's. Other routes' answers are kept as they are.
 */
import { mayHoldEsi } from '../compose/esi/index.ts';
import { assemble, compileSeed, encodeMarkup, findHoles, tokenMarkup } from '../compose/index.ts';
import { cookieValue, decodeBody, type HeaderList } from '../http/index.ts';
import type { WholeAnswer } from './capture.ts';
import { plainFields } from './made-copy.ts';
import type { Visit } from './visit.ts';

/** Shorter values of a cookie stand in many pages by accident. */
const tellingCharacters = 8;

/** `cookie`: the page may hold a value of this visitor where nothing would take it out. */
export function seedOf(visit: Visit, answer: WholeAnswer, decodedBytesMax: number): WholeAnswer | 'cookie' {
  const { dynamics } = visit.rules;
  if (!dynamics.any || !answer.body) return answer;
  const cookie = visit.get('cookie');
  const values = dynamics.tokens.flatMap((token) => cookieValue(cookie, token.cookie) ?? []);
  // Style sheets and scripts on the same route stay coded.
  const type = answer.headers.get('content-type') ?? '';
  const plain = values.length > 0 || mayHoldEsi(type) || type.includes('json') ? decoded(answer, decodedBytesMax) : answer;
  return values.length === 0 ? plain : withoutTokens(plain, visit, values);
}

function decoded(answer: WholeAnswer, decodedBytesMax: number): WholeAnswer {
  const coding = answer.headers.get('content-encoding');
  if (coding === null || !answer.body) return answer;
  const body = decodeBody(answer.body, coding, decodedBytesMax);
  return body ? altered(answer, body) : answer;
}

function withoutTokens(answer: WholeAnswer, visit: Visit, values: readonly string[]): WholeAnswer | 'cookie' {
  const body = answer.body ?? new Uint8Array();
  const headers: HeaderList = [...answer.headers];
  const { holes, utf8 } = findHoles({ contentType: answer.headers.get('content-type') ?? '', headers, body }, visit.rules.dynamics);
  const emptied = assemble(compileSeed(body, holes), holes.map((hole) => (hole.kind === 'token' ? encodeMarkup(tokenMarkup('', hole), utf8) : undefined)));
  const page = Buffer.from(emptied.buffer, emptied.byteOffset, emptied.byteLength);
  const remains = values.some((value) => value.length >= tellingCharacters && page.includes(value));
  if (remains || answer.headers.get('content-encoding') !== null) return 'cookie';
  return holes.some(({ kind }) => kind === 'token') ? altered(answer, emptied) : answer;
}

function altered(answer: WholeAnswer, body: Uint8Array): WholeAnswer {
  return { ...answer, headers: new Headers(plainFields([...answer.headers]).map(([name, value]) => [name, value])), body: new Uint8Array(body) };
}
