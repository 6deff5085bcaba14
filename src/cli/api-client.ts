/**
 * How commands ask the API of a running Foreshadow: one request, its JSON (or bytes) or an `api-failed` that says what to do. The token comes
 * from `--token` or the environment, and is never printed.
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
  return jsonOf(await answerTo('GET', path, address), path, address);
}

/** Gives an order. */
export async function postJson(path: string, order: unknown, address: ApiAddress): Promise<unknown> {
  return jsonOf(await answerTo('POST', path, address, JSON.stringify(order)), path, address);
}

export async function getBytes(path: string, address: ApiAddress): Promise<{ readonly bytes: Uint8Array; readonly contentType: string }> {
  const answer = await answerTo('GET', path, address);
  return { bytes: await answer.bytes(), contentType: answer.headers.get('content-type') ?? '' };
}

async function jsonOf(answer: Response, path: string, address: ApiAddress): Promise<unknown> {
  try {
    return await answer.json();
  } catch (cause) {
    throw new ForeshadowError('api-failed', { source: 'internal', message: `${address.api ?? defaultApi}${path} did not answer with JSON`, hint: 'is --api the admin listener?', cause });
  }
}

async function answerTo(method: 'GET' | 'POST', path: string, address: ApiAddress, body?: string): Promise<Response> {
  const base = address.api ?? defaultApi;
  const answer = await ask(base, path, address.token, method, body);
  if (answer.ok) return answer;
  const hint = answer.status === 401 || answer.status === 403 ? 'give a token with --token or FORESHADOW_TOKEN' : answer.status >= 500 ? 'see its log' : '';
  throw new ForeshadowError('api-failed', { source: 'internal', message: `${base}${path} answered ${answer.status}${await detailOf(answer)}`, hint });
}

async function ask(base: string, path: string, token: string | undefined, method: string, body: string | undefined): Promise<Response> {
  if (!URL.canParse(path, base)) throw new ForeshadowError('usage', { source: 'client', message: `${base} is not a URL`, hint: `write it like ${defaultApi}` });
  try {
    return await fetch(new URL(path, base), {
      method, ...(body !== undefined && { body }),
      headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
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
