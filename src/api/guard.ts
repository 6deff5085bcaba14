/**
 * What every route of the API shares: who may, what a browser may not do behind its user's back, bodies and queries checked against a
 * schema, and errors as RFC 9457 problem details.
 */
import type { Context } from 'hono';
import type { z } from 'zod';
import type { AdminToken } from '../config/types.ts';
import { problem, problemContentType } from '../http/index.ts';
import { ForeshadowError, messageOf, type ErrorCode, type Log } from '../kernel/index.ts';
import { authorize, type Role } from './auth.ts';

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 415 | 422 | 428 | 500 | 503;

export class Guard {
  readonly #tokens: () => readonly AdminToken[];
  readonly #log: Log;

  constructor(tokens: () => readonly AdminToken[], log: Log) {
    this.#tokens = tokens;
    this.#log = log;
  }

  /** Reads for those who may look. */
  async read(context: Context, answer: () => Promise<Response> | Response): Promise<Response> {
    return this.#refusal(context, 'viewer') ?? this.#run(context, answer);
  }

  /**
   * Changes for operators. A page of another site can make a browser send simple requests here, even to loopback: only JSON is taken, which a
   * browser asks about first, and nothing a browser says comes from elsewhere. `what` goes to the log with the operator's name.
   */
  async change<T>(context: Context, what: string, schema: z.ZodType<T>, act: (order: T) => Promise<Response> | Response): Promise<Response> {
    const refusal = this.#refusal(context, 'operator');
    if (refusal) return refusal;
    const site = context.req.header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return fail(context, 403, 'Forbidden', 'changes are not taken from pages of other sites');
    if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) return fail(context, 415, 'Unsupported Media Type', 'send the order as application/json');
    let body: unknown;
    try {
      body = await context.req.json();
    } catch {
      return fail(context, 400, 'Bad Request', 'the body is not JSON');
    }
    const parsed = schema.safeParse(body);
    if (!parsed.success) return fail(context, 422, 'Unprocessable Content', issuesOf(parsed.error));
    this.#log.info('operator', { what, by: this.#nameOf(context), order: body });
    return this.#run(context, () => act(parsed.data));
  }

  query<T>(context: Context, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(context.req.query());
    if (parsed.success) return parsed.data;
    throw new ForeshadowError('usage', { source: 'client', message: issuesOf(parsed.error) });
  }

  #refusal(context: Context, role: Role): Response | undefined {
    const access = authorize(this.#tokens(), context.req.header('authorization') ?? null, role);
    if (access.ok) return undefined;
    if (access.status === 401) context.header('www-authenticate', 'Bearer realm="foreshadow"');
    return fail(context, access.status, access.status === 401 ? 'Unauthorized' : 'Forbidden', access.detail);
  }

  #nameOf(context: Context): string {
    const access = authorize(this.#tokens(), context.req.header('authorization') ?? null, 'operator');
    return access.ok ? access.name : '';
  }

  async #run(context: Context, answer: () => Promise<Response> | Response): Promise<Response> {
    try {
      return await answer();
    } catch (error) {
      if (error instanceof ForeshadowError) {
        const [status, title] = statusOf(error.code);
        return fail(context, status, title, error.sentence, error.code);
      }
      this.#log.error('api-failed', { path: context.req.path, problem: messageOf(error) });
      return fail(context, 500, 'Internal Server Error', 'see the log');
    }
  }
}

export function fail(context: Context, status: ProblemStatus, title: string, detail: string, code?: ErrorCode): Response {
  const body = problem(status, title, { detail, instance: context.req.path, ...(code !== undefined && { code }) });
  return context.body(JSON.stringify(body), status, { 'content-type': problemContentType });
}

function statusOf(code: ErrorCode): [ProblemStatus, string] {
  switch (code) {
    case 'usage': return [422, 'Unprocessable Content'];
    case 'catalog-conflict': return [409, 'Conflict'];
    case 'storage-full': case 'storage-failed': case 'blob-missing': case 'catalog-corrupt': return [503, 'Service Unavailable'];
    default: return [500, 'Internal Server Error'];
  }
}

function issuesOf(error: z.ZodError): string {
  return error.issues.slice(0, 5).map((issue) => `${issue.path.length === 0 ? 'the body' : issue.path.join('.')}: ${issue.message}`).join('; ');
}
