/** Loading a configuration from its file, the same way for every command: with the files it names, and with its templates compiled as the brain will. */
import { readFileSync } from 'node:fs';
import { loadConfig, type LoadRequest, type LoadResult } from '../config/index.ts';
import { templateCheck } from '../generate/slots/index.ts';

export function loadConfigFile(request: Pick<LoadRequest, 'file' | 'overrides' | 'env'>): LoadResult {
  return loadConfig({ ...request, readFile: (path) => readFileSync(path, 'utf8'), checkTemplate: templateCheck() });
}
