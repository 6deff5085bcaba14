/** `/api/v1/shadows…`, `/api/v1/versions`, `/api/v1/diff` and `/api/v1/purge`: what there is, what it was, and the operator's word on it. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { DiffView, OrderResult, PurgeOrder, RollbackOrder, ShadowDetail, ShadowPage, ShadowQuery, VersionView } from '../generate/index.ts';
import { fail, type Guard } from './guard.ts';

export interface ShadowSource {
  list(query: ShadowQuery): ShadowPage;
  /** `name` is a URL, a path, or a resource as `list` names it. Undefined where it has no shadow (in that version). */
  show(name: string, version: number | undefined): Promise<ShadowDetail | undefined>;
  /** The body of one copy as the origin sent it. */
  body(name: string, variation: string | undefined, version: number | undefined): Promise<{ readonly bytes: Uint8Array; readonly contentType: string } | undefined>;
  /** All that can be gone back to, oldest first; with a name, those that changed it. */
  versions(name: string | undefined): Promise<readonly VersionView[]>;
  diff(from: number, to: number, limit: number): Promise<DiffView>;
  purge(order: PurgeOrder): Promise<OrderResult>;
  rollback(order: RollbackOrder): Promise<OrderResult>;
}

const names = z.array(z.string().min(1).max(8192)).max(1000).default([]);
const purgeSchema = z.strictObject({
  urls: names, patterns: names, tags: names, all: z.boolean().default(false), soft: z.boolean().default(false), dryRun: z.boolean().default(false),
});
const rollbackFields = {
  to: z.int().min(1), holdMs: z.int().min(0).max(30 * 86_400_000).default(3_600_000), dryRun: z.boolean().default(false),
};
const siteRollbackSchema = z.strictObject({ ...rollbackFields, urls: names });
const listSchema = z.object({
  match: z.string().max(8192).optional(), tag: z.string().max(256).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100), cursor: z.string().max(8192).optional(),
});
const versionSchema = z.object({ version: z.coerce.number().int().min(1).optional() });
const bodySchema = z.object({ variation: z.string().max(4096).optional() });
const diffSchema = z.object({ from: z.coerce.number().int().min(1), to: z.coerce.number().int().min(1), limit: z.coerce.number().int().min(1).max(10_000).default(200) });
const numberSchema = z.coerce.number().int().min(1);

export function addShadowRoutes(app: Hono, guard: Guard, source: ShadowSource): void {
  app.get('/api/v1/shadows', (context) => guard.read(context, () => context.json(source.list(withUndefined(guard.query(context, listSchema))))));
  app.get('/api/v1/versions', (context) => guard.read(context, async () => context.json({ versions: await source.versions(undefined) })));
  app.get('/api/v1/diff', (context) => guard.read(context, async () => {
    const { from, to, limit } = guard.query(context, diffSchema);
    return context.json(await source.diff(from, to, limit));
  }));
  app.post('/api/v1/purge', (context) => guard.change(context, 'purge', purgeSchema, async (order) => context.json(await source.purge(order))));
  app.post('/api/v1/rollback', (context) => guard.change(context, 'rollback', siteRollbackSchema, async (order) => context.json(await source.rollback(order))));
  app.get('/api/v1/shadows/:name', (context) => guard.read(context, async () => {
    const shadow = await source.show(context.req.param('name'), guard.query(context, versionSchema).version);
    return shadow ? context.json(shadow) : fail(context, 404, 'Not Found', `there is no shadow of ${context.req.param('name')}`);
  }));
  app.get('/api/v1/shadows/:name/versions', (context) => guard.read(context, async () => context.json({ versions: await source.versions(context.req.param('name')) })));
  app.get('/api/v1/shadows/:name/versions/:version', (context) => guard.read(context, async () => {
    const version = numberSchema.safeParse(context.req.param('version'));
    const shadow = version.success ? await source.show(context.req.param('name'), version.data) : undefined;
    return shadow ? context.json(shadow) : fail(context, 404, 'Not Found', `${context.req.param('name')} has no shadow in version ${context.req.param('version')}`);
  }));
  for (const path of ['/api/v1/shadows/:name/body', '/api/v1/shadows/:name/versions/:version/body'] as const) {
    app.get(path, (context) => guard.read(context, async () => {
      const version = numberSchema.optional().safeParse(context.req.param('version'));
      const found = version.success ? await source.body(context.req.param('name') ?? '', guard.query(context, bodySchema).variation, version.data) : undefined;
      if (!found) return fail(context, 404, 'Not Found', 'there is no such copy');
      // Somebody else's page: it may be looked at, never run as one of ours.
      return context.body(Buffer.from(found.bytes), 200, {
        'content-type': found.contentType === '' ? 'application/octet-stream' : found.contentType,
        'content-security-policy': 'sandbox; default-src \'none\'', 'content-disposition': 'attachment',
      });
    }));
  }
  app.post('/api/v1/shadows/:name/rollback', (context) => guard.change(context, 'rollback', z.strictObject(rollbackFields), async (order) =>
    context.json(await source.rollback({ ...order, urls: [context.req.param('name')] }))));
}

function withUndefined({ match, tag, limit, cursor }: z.output<typeof listSchema>): ShadowQuery {
  return { match, tag, limit, cursor };
}
