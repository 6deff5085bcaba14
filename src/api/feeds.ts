/** `/api/v1/feeds…`: what the feeds say, how old that is, what is wrong with them, and what they will say next. */
import type { Hono } from 'hono';
import { fail, type Guard } from './guard.ts';

export interface FeedSource {
  /** One entry for each instance of each feed. */
  states(): readonly { readonly name: string; readonly key: string }[];
  /** The document last heard; undefined while there was none. */
  value(key: string): { readonly document: unknown; readonly valueTimeMs: number; readonly heardMs: number } | undefined;
  /** What is expected of each value in it that slots show: when it changes, and to what. */
  forecast(key: string): readonly { readonly pointer: string; readonly horizons: readonly object[] }[];
}

export function addFeedRoutes(app: Hono, guard: Guard, source: FeedSource): void {
  app.get('/api/v1/feeds', (context) => guard.read(context, () => context.json({ feeds: source.states() })));
  app.get('/api/v1/feeds/:name', (context) => guard.read(context, () => {
    const name = context.req.param('name');
    const states = source.states().filter((state) => state.name === name || state.key === name);
    if (states.length === 0) return fail(context, 404, 'Not Found', `there is no feed ${name}`);
    return context.json({ instances: states.map((state) => ({ ...state, value: source.value(state.key), forecast: source.forecast(state.key) })) });
  }));
}
