/**
 * Writes what is made from code: `schemas/config.json` and `docs/configuration.md`. The check of the catalogues compares
 * the files with the same text.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema, notAvailable } from '../src/config/index.ts';
import { configurationPage } from './configuration-reference.ts';
import { root } from './sources.ts';

/** Path from the root → content. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const schema = configJsonSchema();
  const titled = { $schema: schema['$schema'], title: 'Configuration of Foreshadow', ...schema };
  return {
    'schemas/config.json': `${JSON.stringify(titled, null, 2)}\n`,
    'docs/configuration.md': configurationPage(schema, notAvailable),
  };
}

if (import.meta.main) {
  for (const [path, content] of Object.entries(generatedFiles())) {
    writeFileSync(join(root, path), content);
    console.log(path);
  }
}
