/**
 * How commands ask the API of a running Foreshadow: one GET, its JSON or an `api-failed` that says what to do. The token comes from
 * `--token` or the environment, and is never printed.
 */
import { ForeshadowError, messageOf } from '../kernel/index.ts';

export interface ApiAddress {
  /** `http://127.0.0.1:8090` where nothing is said. */
  readonly api: string | undefined;
  readonly token: string | undefined;
}

const defaultApi = 'http://127.0.0.1:8090';
const timeoutMs = 10_000;

export async function getJson(path: string, address: ApiAddress): Promise<unknown> {
  const base = address.api ?? defaultApi;
  const answer = await ask(base, path, address.token);
  if (!answer.ok) {
    const hint = answer.status === 401 || answer.status === 403 ? 'give a token with --token or FORESHADOW_TOKEN' : 'see its log';
    throw new ForeshadowError('api-failed', { source: 'internal', message: `${base}${path} answered ${answer.status}${await detailOf(answer)}`, hint });
  }
  try {
    return await answer.json();
  } catch (cause) {
    throw new ForeshadowError('api-failed', { source: 'internal', message: `${base}${path} did not answer with JSON`, hint: 'is --api the admin listener?', cause });
  }
}

async function ask(base: string, path: string, token: string | undefined): Promise<Response> {
  if (!URL.canParse(path, base)) throw new ForeshadowError('usage', { source: 'client', message: `${base} is not a URL`, hint: `write it like ${defaultApi}` });
  try {
    return await fetch(new URL(path, base), {
      headers: { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      redirect: 'error', signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new ForeshadowError('api-failed', {
      source: 'internal', message: `${base} can't be reached: ${messageOf(cause)}`, hint: 'is Foreshadow up? its admin listener is named with --api', retry: true, cause,
    });
  }
}

/** What a problem document says (RFC 9457), as the rest of a sentence. */
async function detailOf(answer: Response): Promise<string> {
  try {
    const problem: unknown = await answer.json();
    return typeof problem === 'object' && problem !== null && 'detail' in problem && typeof problem.detail === 'string' ? `: ${problem.detail}` : '';
  } catch {
    return '';
  }
}
