/**
 * The configuration as people write it, whole: one strict schema, from which the loader, `schemas/config.json` and
 * `docs/configuration.md` are made. Every key has a description, a unit where it has one, and a default or a word on what
 * happens without it. Keys whose feature does not exist yet are here too (their shape is known) and refused by `not-available.ts`.
 */
import { z } from 'zod';
import { dimensionsSchema, feedsSchema, routesSchema } from './schema-content.ts';
import {
  budgetsSchema, busSchema, dataDirSchema, degradedSchema, drainTimeoutSchema, freshnessSchema, generateSchema, limitsSchema, logSchema, predictionSchema, routingSchema, storeSchema, timeoutsSchema,
  versionsSchema,
} from './schema-operation.ts';
import { adminSchema, clientRegionSchema, dropQuerySchema, hostsSchema, originSchema, regionsSchema, siteName, trustedProxiesSchema } from './schema-site.ts';

export const configSchema = z.strictObject({
  site: siteName,
  origin: originSchema,
  hosts: hostsSchema,
  regions: regionsSchema,
  clientRegion: clientRegionSchema,
  trustedProxies: trustedProxiesSchema,
  dimensions: dimensionsSchema,
  feeds: feedsSchema,
  routes: routesSchema,
  dropQuery: dropQuerySchema,
  budgets: budgetsSchema,
  freshness: freshnessSchema,
  prediction: predictionSchema,
  routing: routingSchema,
  degraded: degradedSchema,
  generate: generateSchema,
  versions: versionsSchema,
  store: storeSchema,
  bus: busSchema,
  timeouts: timeoutsSchema,
  drainTimeout: drainTimeoutSchema,
  limits: limitsSchema,
  log: logSchema,
  admin: adminSchema,
  dataDir: dataDirSchema,
}, { error: 'expected keys and values; write it like origin: { url: http://127.0.0.1:3000 }' });

/** What the schema gives for a valid document: units resolved, defaults filled in. */
export type ParsedConfig = z.output<typeof configSchema>;

/** The JSON Schema of what people write (2020-12), with `unit` and `description` at every key. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
