/**
 * Header fields as plain data: pairs in the order received, names in lower case, one pair a field line (so that several
 * Set-Cookie stay apart). Everything pure in this project reads and writes this shape; `Headers` objects stay at the rim.
 */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** How pure code reads a request's or answer's headers: lower-case name → combined value, or null when absent. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** A reader over a list. Lines of the same name are joined with `, ` (RFC 9110 §5.3). */
export function headerReader(list: HeaderList): HeaderReader {
  return {
    get(name) {
      let joined: string | null = null;
      for (const [key, value] of list) if (key === name) joined = joined === null ? value : `${joined}, ${value}`;
      return joined;
    },
  };
}
