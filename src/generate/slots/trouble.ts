/** Why a filling could not be made from what a feed says: a closed list; docs/generation.md explains each word, and a test holds the two together. */
export const fillingTroubles = {
  'missing-value': 'The feed has nothing at the slot\'s value.',
  'wrong-kind': 'The value is of a kind the slot can\'t show.',
  'too-many-versions': 'The value lists more entries than the slot has variations.',
  'template-error': 'The template failed on this value.',
  'too-slow': 'Rendering took too long, or made too much on the way.',
  'too-large': 'What was rendered is larger than a filling may be.',
  'not-json': 'What was rendered for a JSON document is not JSON.',
  'unsafe-url': 'The value would put a script into a link.',
} as const;

export type FillingTrouble = keyof typeof fillingTroubles;

/** One sentence for people goes with the word. */
export interface Troubled {
  readonly ok: false;
  readonly trouble: FillingTrouble;
  readonly message: string;
}

export function troubled(trouble: FillingTrouble, message: string = fillingTroubles[trouble]): Troubled {
  return { ok: false, trouble, message };
}
