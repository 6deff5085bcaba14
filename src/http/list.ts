/** Comma-separated lists (RFC 9110 §5.6.1) of any content, in one pass: the values come from strangers. */

/**
 * The members, trimmed, empty ones left out. A comma inside a quoted string belongs to its member; a quote that is never
 * closed hides nothing, so that `x="y, no-store` still has a no-store.
 */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x5c && quoted) i++;
    else if (code === 0x2c && !quoted) {
      members.push(value.slice(from, i));
      from = i + 1;
    }
  }
  const rest = value.slice(from);
  if (quoted) members.push(...rest.split(','));
  else members.push(rest);
  return members.map((member) => member.trim()).filter((member) => member !== '');
}
