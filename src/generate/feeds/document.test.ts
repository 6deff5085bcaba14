import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compileSchema, depthMax, documentBytesMax, documentValuesMax, readDocument, type Schema } from './document.ts';

const read = (text: string, schema?: Schema) => readDocument(new TextEncoder().encode(text), schema);
const reasonOf = (text: string): string => {
  const result = read(text);
  return result.kind === 'refused' ? result.reason : 'good';
};

test('documents up to the limits are good, beyond they are refused', () => {
  expect(reasonOf('['.repeat(depthMax) + ']'.repeat(depthMax))).toBe('good');
  expect(reasonOf('['.repeat(depthMax + 1) + ']'.repeat(depthMax + 1))).toBe('too-deep');
  expect(reasonOf(`${'{"a":'.repeat(depthMax)}1${'}'.repeat(depthMax)}`)).toBe('good');
  expect(reasonOf(`${'{"a":'.repeat(depthMax + 1)}1${'}'.repeat(depthMax + 1)}`)).toBe('too-deep');
  expect(reasonOf(`[${'0,'.repeat(documentValuesMax - 2)}0]`)).toBe('good');
  expect(reasonOf(`[${'0,'.repeat(documentValuesMax - 1)}0]`)).toBe('too-many-values');
  expect(reasonOf(`"${'x'.repeat(documentBytesMax - 2)}"`)).toBe('good');
  expect(reasonOf(`"${'x'.repeat(documentBytesMax - 1)}"`)).toBe('too-large');
});

test('brackets, commas and quotes inside strings count for nothing', () => {
  expect(reasonOf(JSON.stringify(['['.repeat(500), `${'\\'.repeat(5)}"[[[`, '{"a":'.repeat(100)]))).toBe('good');
  expect(reasonOf(JSON.stringify({ text: ',0'.repeat(documentValuesMax) }))).toBe('good');
});

function valuesIn(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Object.values(value).reduce((sum: number, inner) => sum + valuesIn(inner), 0) : 1;
}

test('every JSON document within the limits is read as JSON.parse reads it', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', '\ufeff', ' \n\t'), (text, before) => {
    const parsed: unknown = JSON.parse(text);
    fc.pre(!text.includes('__proto__'));
    expect(read(before + text)).toEqual({ kind: 'document', document: parsed });
  }), { seed: 4, numRuns: 300 });
});

test('values are counted as they are, whatever they look like', () => {
  const element = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(fc.property(element, fc.constantFrom(undefined, 2), (value, space) => {
    const before = documentValuesMax - 1 - valuesIn(value);
    const fill = (count: number): string => `[${'0,'.repeat(count)}${JSON.stringify(value, undefined, space)}]`;
    expect(reasonOf(fill(before))).toBe('good');
    expect(reasonOf(fill(before + 1))).toBe('too-many-values');
  }), { seed: 4, numRuns: 25 });
});

test('never throws, whatever the bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    readDocument(bytes, undefined);
  }), { seed: 4, numRuns: 500 });
  fc.assert(fc.property(fc.stringMatching(/^[[\]{}":,\\0-9a ]*$/), (text) => { read(text); }), { seed: 4, numRuns: 500 });
});

test('keys named __proto__ are left out at every depth, however they are written', () => {
  const result = read('{"a":{"__proto__":{"admin":true},"b":[{"\\u005f_proto__":1,"c":2}]},"__proto__":[]}');
  expect(result).toEqual({ kind: 'document', document: { a: { b: [{ c: 2 }] } } });
  const text = JSON.stringify(result.kind === 'document' ? result.document : result);
  expect(text).toBe('{"a":{"b":[{"c":2}]}}');
  expect(JSON.stringify(read('{"\\u005f_proto__":{"a":1},"b":2}'))).toBe('{"kind":"document","document":{"b":2}}');
  expect(JSON.stringify(read('{"constructor":{"prototype":1}}'))).toContain('"constructor"');
});

test('what does not fit the schema is told by its path, bounded, without the value', () => {
  const schema = compileSchema({ type: 'object', properties: { list: { type: 'array', items: { type: 'integer' } } }, required: ['list'] });
  expect(schema?.({ list: [1, 2] })).toBeUndefined();
  expect(schema?.({ list: [1, 's3cret'] })).toStartWith('at /list/1: ');
  expect(schema?.({ list: [1, 's3cret'] })).not.toContain('s3cret');
  expect(schema?.('no')).toStartWith('at its root: ');
  const long = compileSchema({ type: 'object', additionalProperties: { type: 'integer' } });
  expect(long?.({ ['x'.repeat(1000)]: 'no' })?.length).toBeLessThan(200);
  expect(compileSchema(undefined)).toBeUndefined();
  expect(() => compileSchema({ type: 'nonsense' })).toThrow();
});
