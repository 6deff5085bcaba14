/** `/api/v1/forecast…`: what people will ask for, how sure that is, how good earlier forecasts were, and what is on the rise. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Emerging, EngineReport, Forecast, ForecastPage, HorizonMin } from '../predict/index.ts';
import { horizonsMin } from '../predict/index.ts';
import { fail, type Guard } from './guard.ts';

export interface ForecastSource {
  /** `region` `*` is everywhere. */
  page(query: { readonly region: string; readonly horizonMin: HorizonMin; readonly limit: number; readonly cursor: string | undefined }): ForecastPage;
  /** `name` is a URL, a path, or a resource as a page names it; `region` is whose shares of variations are told. Undefined for a resource that nobody has asked for. */
  of(name: string, region: string): { readonly atMs: number; readonly resource: string; readonly forecasts: readonly Forecast[]; readonly variations: readonly { readonly variation: string; readonly share: number }[] } | undefined;
  accuracy(): EngineReport;
  /** Most requests above the usual first. */
  emerging(limit: number): { readonly atMs: number; readonly items: readonly Emerging[] };
}

const horizon = z.coerce.number().pipe(z.literal(horizonsMin)).default(15);
const region = z.string().min(1).max(256).default('*');
const limit = z.coerce.number().int().min(1).max(1000).default(100);
const resourceSchema = z.object({ region });
const emergingSchema = z.object({ limit });
const pageSchema = z.object({
  region, horizon, limit, cursor: z.string().max(16_384).optional(),
});

export function addForecastRoutes(app: Hono, guard: Guard, source: ForecastSource): void {
  app.get('/api/v1/forecast', (context) => guard.read(context, () => {
    const { region, horizon: horizonMin, limit, cursor } = guard.query(context, pageSchema);
    return context.json(source.page({ region, horizonMin, limit, cursor }));
  }));
  app.get('/api/v1/forecast/accuracy', (context) => guard.read(context, () => context.json(source.accuracy())));
  app.get('/api/v1/forecast/emerging', (context) => guard.read(context, () => context.json(source.emerging(guard.query(context, emergingSchema).limit))));
  app.get('/api/v1/forecast/:name', (context) => guard.read(context, () => {
    const name = context.req.param('name');
    const found = source.of(name, guard.query(context, resourceSchema).region);
    return found ? context.json(found) : fail(context, 404, 'Not Found', `nobody has asked for ${name} lately`);
  }));
}
