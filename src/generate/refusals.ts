/**
 * The closed list of why something planned, fetched or captured did not become a shadow. One word for the log, the metric,
 * the status and the dashboard. `docs/generation.md` explains each; a test holds the two together.
 */
import { keepRefusals, type KeepRefusal } from '../http/index.ts';

const ownRefusals = {
  // The origin gave nothing whole.
  'origin-refused': 'The origin could not be connected to.',
  'origin-timeout': 'The origin did not answer in time.',
  'origin-cut': 'The answer ended before it was whole.',
  'too-large': 'The body is larger than limits.generateBody.',
  'aborted': 'The fetch was given up because the origin turned unwell or the brain is shutting down.',
  // It answered, with something that must not stand in for the page.
  'error-status': 'The origin answered with an error (429 or 5xx).',
  'gone-unconfirmed': 'The origin says 404 or 410 of something that has a shadow; believed only when it says so again later.',
  'emptied': 'The body is empty, or a text has lost most of its length.',
  'shrunken': 'A page is suspiciously shorter than its shadow; believed only when it stays so.',
  'type-changed': 'What was a page is now another kind of content or a redirect; believed only when it stays so.',
  'self-redirect': 'A redirect to the same resource (to https, to another host name) would send readers round in circles.',
  'error-page': 'It looks like an error page that says 200.',
  'maybe-cut': 'Nothing tells where the body ends, and it does not look whole.',
  'encoded': 'The body is compressed although it was asked for as it is.',
  // It is not wanted, or there is no room for it.
  'robots': 'robots.txt forbids fetching what nobody has asked for.',
  'invalidated': 'It was asked for before the copy was declared wrong.',
  'held': 'An operator went back to an older copy, which stays for a while.',
  'storage-full': 'budgets.storage is used up by more valuable copies, or no volume takes the write.',
  'missing-body': 'An edge captured it, but its body is no longer in the edge\'s store.',
} as const;

export const refusals = { ...keepRefusals, ...ownRefusals } as const satisfies Readonly<Record<string, string>>;

export type Refusal = KeepRefusal | keyof typeof ownRefusals;
