/** Bodies of the footprint benchmark: 8 KiB that name their item first. */
const itemBytes = 8192;

export function itemBody(item: number): string {
  return `item ${item}\n`.padEnd(itemBytes, `${(item * 2_654_435_761) % 1_000_003} `);
}

export function isItem(item: number, body: Uint8Array): boolean {
  return body.length === itemBytes && Buffer.from(body.buffer, body.byteOffset, 32).toString('latin1').startsWith(`item ${item}\n`);
}
