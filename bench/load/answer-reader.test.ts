import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { AnswerReader, fieldOf } from './answer-reader.ts';
import type { Answer } from './answer-reader.ts';

function feed(reader: AnswerReader, text: string, cuts: readonly number[]): Answer | 'malformed' | undefined {
  let from = 0;
  let last: Answer | 'malformed' | undefined;
  for (const cut of [...cuts.map((c) => c % (text.length + 1)).sort((a, b) => a - b), text.length]) {
    if (cut > from) last = reader.push(Buffer.from(text.slice(from, cut), 'latin1'));
    from = Math.max(from, cut);
  }
  return last;
}

describe('AnswerReader', () => {
  test('reads an answer the same way wherever the bytes are cut', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.boolean(), fc.array(fc.nat(400), { maxLength: 5 }), (raw, chunked, cuts) => {
      const body = Buffer.from(raw, 'utf8').toString('latin1');
      const half = body.length >> 1;
      const parts = [body.slice(0, half), body.slice(half)].filter((part) => part !== '');
      const text = chunked
        ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`
        : `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const answer = feed(new AnswerReader(), text, cuts);
      expect(typeof answer).toBe('object');
      if (typeof answer !== 'object') return;
      expect(answer.status).toBe(200);
      expect(Buffer.from(answer.body).toString('latin1')).toBe(body);
      expect(answer.reusable).toBe(true);
    }), { seed: 7, numRuns: 300 });
  });

  test('an answer that stops short is never whole', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n',
      'HTTP/1.1 200 OK\r\nContent-Le',
    ]) {
      const reader = new AnswerReader();
      expect(reader.push(Buffer.from(text))).toBeUndefined();
      expect(reader.started).toBe(true);
      expect(reader.end()).toBeUndefined();
    }
  });

  test('an answer without framing ends with the connection', () => {
    const reader = new AnswerReader();
    expect(reader.push(Buffer.from('HTTP/1.0 500 Oops\r\nX-A: b\r\n\r\nbody'))).toBeUndefined();
    const answer = reader.end();
    expect(answer?.status).toBe(500);
    expect(answer?.reusable).toBe(false);
    expect(fieldOf(answer?.head ?? '', 'x-a')).toBe('b');
  });

  test('more than was announced is malformed', () => {
    expect(new AnswerReader().push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc'))).toBe('malformed');
  });

  test('interim answers are passed over', () => {
    const answer = new AnswerReader().push(Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n'));
    expect(typeof answer === 'object' && answer.status).toBe(204);
  });
});
