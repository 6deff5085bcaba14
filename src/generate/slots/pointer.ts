/** What a JSON Pointer (RFC 6901) names in a document. Own properties only. Pure. */

/** `{ found: false }` where the document has nothing there. */
export function valueAt(document: unknown, pointer: string): { readonly found: boolean; readonly value: unknown } {
  let value = document;
  if (pointer === '') return { found: true, value };
  for (const step of pointer.slice(1).split('/')) {
    const name = step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step;
    if (Array.isArray(value)) {
      const index = /^(?:0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : -1;
      if (index < 0 || index >= value.length) return missing;
      value = value[index] as unknown; // of any[]
    } else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) {
      value = (value as Readonly<Record<string, unknown>>)[name]; // an object, of the line above
    } else {
      return missing;
    }
  }
  return { found: true, value };
}

const missing = { found: false, value: undefined } as const;
