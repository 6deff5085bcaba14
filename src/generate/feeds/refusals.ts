/**
 * The closed list of why something a feed sent, or failed to send, did not become its value. The last good value stays whatever the reason.
 * `docs/generation.md` explains each; a test holds the two together.
 */
export const feedRefusals = {
  // Nothing whole came.
  'unreachable': 'The host could not be connected to.',
  'timeout': 'No answer began within 5 s, or it was not whole within 10 s.',
  'cut': 'The answer or the stream ended before it was whole, or before it said anything.',
  'silent': 'The stream said nothing for too long, and is opened anew.',
  'unreadable': 'The file is not there, is no plain file, or may not be read.',
  // An answer came, of the wrong kind.
  'status': 'The status code is not 200.',
  'redirect': 'The answer is a redirect; none is ever followed.',
  'type': 'The answer is no stream of events (Content-Type: text/event-stream).',
  'coding': 'The content coding was not asked for, or is damaged.',
  'outdated': 'By its Age the answer is older than what has been heard since.',
  // A document came, and may not be used.
  'too-large': 'The document is larger than 4 MiB, after decoding.',
  'not-json': 'The document is not JSON in UTF-8.',
  'too-deep': 'The document is nested deeper than 64 levels.',
  'too-many-values': 'The document has more than 200,000 values.',
  'schema': 'The document does not fit the feed\'s schema.',
  'too-often': 'More than 20 values a second came; the newest were taken.',
  'memory-full': 'The values of all feeds together would take more than 64 MiB.',
} as const satisfies Readonly<Record<string, string>>;

export type FeedRefusal = keyof typeof feedRefusals;
