/** FNV-1a of a string's UTF-16 units, 32 bits, unsigned (Fowler, Noll & Vo). To tell strings apart where nobody gains by making two alike; its low bits are its weakest. */
export function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}
