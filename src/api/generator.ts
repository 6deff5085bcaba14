/**
 * `/api/v1/generator…` and `/api/v1/plans…`: what the generator does and plans, and the operator's levers: pause, budgets, a surge before
 * planned work, and what is to be made at once. Settings carry an ETag; a change takes it as If-Match, so that two operators don't undo each other unknowingly.
 */
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import type { GeneratorOrder, GeneratorSettings, GeneratorStatus } from '../generate/index.ts';
import { fail, type Guard } from './guard.ts';

export interface GeneratorSource {
  status(): GeneratorStatus;
  settings(): GeneratorSettings;
  /** In force when it returns; until a restart or a reload. */
  change(order: GeneratorOrder): void;
  /** Has these made anew before anything else; tells which are the site's. */
  run(names: readonly string[]): { readonly resources: readonly string[]; readonly refused: readonly string[] };
  plans(): readonly unknown[];
  plan(number: number): unknown;
  planDiff(from: number, to: number): unknown;
}

const orderSchema = z.strictObject({
  paused: z.boolean().optional(),
  surgeMs: z.int().min(0).max(60_000).optional(),
  budgets: z.strictObject({
    originRequestsPerSecond: z.number().min(0).max(10_000).optional(), originShare: z.number().min(0.001).max(1).optional(), generateConcurrency: z.int().min(1).max(256).optional(),
  }).optional(),
});
const runSchema = z.strictObject({ urls: z.array(z.string().min(1).max(8192)).min(1).max(1000) });
const numberSchema = z.coerce.number().int().min(1);
const againstSchema = z.object({ against: numberSchema.optional() });

export function addGeneratorRoutes(app: Hono, guard: Guard, source: GeneratorSource): void {
  app.get('/api/v1/generator', (context) => guard.read(context, () => {
    const settings = source.settings();
    context.header('etag', tagOf(settings));
    return context.json({ settings, status: source.status() });
  }));
  app.patch('/api/v1/generator', (context) => guard.change(context, 'generator', orderSchema, (order) => {
    const refusal = stale(context, source.settings());
    if (refusal) return refusal;
    source.change({ paused: order.paused, surgeMs: order.surgeMs, budgets: order.budgets && withoutUndefined(order.budgets) });
    const settings = source.settings();
    context.header('etag', tagOf(settings));
    return context.json({ settings });
  }));
  app.post('/api/v1/generator/run', (context) => guard.change(context, 'generator-run', runSchema, ({ urls }) => context.json(source.run(urls), 202)));
  app.get('/api/v1/plans', (context) => guard.read(context, () => context.json({ plans: source.plans() })));
  app.get('/api/v1/plans/:number', (context) => guard.read(context, () => {
    const number = numberSchema.safeParse(context.req.param('number'));
    const { against } = guard.query(context, againstSchema);
    const found = !number.success ? undefined : against === undefined ? source.plan(number.data) : source.planDiff(against, number.data);
    return found === undefined ? fail(context, 404, 'Not Found', 'this plan is not kept; /api/v1/plans lists those that are') : context.json(found);
  }));
}

function tagOf(settings: GeneratorSettings): string {
  // A surge ends by itself: that is no change to the settings.
  return `"${Bun.hash.xxHash32(JSON.stringify([settings.paused, settings.budgets])).toString(16)}"`;
}

function stale(context: Context, settings: GeneratorSettings): Response | undefined {
  const wanted = context.req.header('if-match');
  if (wanted === undefined) return fail(context, 428, 'Precondition Required', 'read the settings first, and send their ETag as If-Match');
  return wanted === '*' || wanted.split(',').some((tag) => tag.trim() === tagOf(settings)) ? undefined : fail(context, 412, 'Precondition Failed', 'the settings have changed since they were read');
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }; // only undefined entries are gone
}
