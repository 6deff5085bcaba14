/** An attempt's outcome as the reason of a transition, for people. */
import type { OriginAttempt } from './types.ts';

export function causeOf(attempt: Pick<OriginAttempt, 'outcome'>): string {
  switch (attempt.outcome) {
    case 'refused': return 'connections are refused';
    case 'timeout': return 'requests time out';
    case 'error-status': return 'requests are answered with errors';
    case 'cut': return 'answers end before they are whole';
    case 'late': case 'ok': return 'answers are too slow';
    case 'aborted': return 'clients left';
  }
}
