/** What the terminal reads of the API's answers about shadows; more may come and is left alone. */
import { z } from 'zod';
import { ForeshadowError } from '../kernel/index.ts';

const slot = z.object({
  slot: z.string(), feed: z.string(), state: z.string(), heardAgeS: z.number().optional(), maxAgeS: z.number(), texts: z.array(z.string()), fallback: z.string().optional(),
});
const copy = z.object({
  variation: z.string(), vary: z.record(z.string(), z.string()), status: z.number(), headers: z.array(z.tuple([z.string(), z.string()])), body: z.string(), bytes: z.number(),
  ageS: z.number(), madeBy: z.string(), version: z.number(), codings: z.array(z.object({ coding: z.string(), bytes: z.number() })), tags: z.array(z.string()), slots: z.array(slot),
});
const detail = z.object({ resource: z.string(), route: z.string().optional(), perMinute: z.number(), heldUntilMs: z.number().optional(), copies: z.array(copy) });
const list = z.object({
  version: z.number(), resources: z.number(), nextCursor: z.string().optional(),
  items: z.array(z.object({
    resource: z.string(), copies: z.number(), variations: z.number(), bytes: z.number(), newestAgeS: z.number(), oldestAgeS: z.number(), status: z.number(), contentType: z.string(),
    madeBy: z.array(z.string()), version: z.number(), perMinute: z.number(), slots: z.array(z.string()), tags: z.array(z.string()),
  })),
});
const versions = z.object({ versions: z.array(z.object({ version: z.number(), publishedAtMs: z.number(), put: z.number(), remove: z.number(), records: z.number() })) });
const diff = z.object({
  from: z.number(), to: z.number(), counts: z.record(z.string(), z.number()), fillingsChanged: z.number(),
  changes: z.array(z.object({
    resource: z.string(), variation: z.string(), change: z.string(), bytesBefore: z.number().optional(), bytesAfter: z.number().optional(), statusBefore: z.number().optional(), statusAfter: z.number().optional(),
  })),
});
const order = z.object({ version: z.number(), resources: z.number(), copies: z.number(), examples: z.array(z.string()), dryRun: z.boolean() });

export type List = z.output<typeof list>;
export type Detail = z.output<typeof detail>;
export type Versions = z.output<typeof versions>;
export type Diff = z.output<typeof diff>;
export type Order = z.output<typeof order>;

export const listOf = reader(list);
export const detailOf = reader(detail);
export const versionsOf = reader(versions);
export const diffOf = reader(diff);
export const orderOf = reader(order);

function reader<T>(schema: z.ZodType<T>): (answer: unknown) => T {
  return (answer) => {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ForeshadowError('api-failed', { source: 'internal', message: 'the answer is not one this version knows', hint: 'use the foreshadow of the same version, or --json', cause: parsed.error });
  };
}
