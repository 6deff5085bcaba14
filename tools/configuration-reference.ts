/**
 * `docs/configuration.md`, made from the schema: every key with what it is, its unit and its default. Pure: schema in, page out.
 */
import type { NotAvailable } from '../src/config/index.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | false;
  readonly items?: Node | false;
  readonly anyOf?: readonly Node[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface KeyRow {
  /** `regions[].tls.cert`, `dimensions.NAME.from` */
  readonly path: string;
  readonly unit: string;
  readonly fallback: string;
  readonly description: string;
}

/** Every key below a schema, in the order of the schema; keys without a description are a defect of the schema. */
export function keyRows(schema: Node, base = ''): KeyRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const path = base === '' ? key : `${base}.${key}`;
    const own: KeyRow = { path, unit: unitOf(node), fallback: fallbackOf(node, schema.required?.includes(key) ?? false), description: node.description ?? '' };
    return [own, ...below(node, path)];
  });
}

function below(node: Node, path: string): KeyRow[] {
  if (node.properties) return keyRows(node, path);
  if (node.items) return below(node.items, `${path}[]`);
  if (node.additionalProperties) return below(node.additionalProperties, `${path}.NAME`);
  return (node.anyOf ?? []).flatMap((branch) => (branch.properties && Object.values(branch.properties).every((inner) => inner.description !== undefined) ? keyRows({ properties: branch.properties }, path) : []));
}

function unitOf(node: Node): string {
  const choices = node.enum ?? node.anyOf?.flatMap((branch) => branch.enum ?? []) ?? [];
  const words = choices.map((choice) => `\`${String(choice)}\``);
  const unit = node.unit ?? (node.type === 'boolean' ? '`true`, `false`' : node.type === 'array' ? 'list' : node.type === 'object' || node.anyOf ? 'keys' : words.length > 0 ? '' : 'text');
  const range = node.minimum !== undefined && node.maximum !== undefined ? ` ${node.minimum} to ${node.maximum}` : '';
  return [...words, ...(unit === '' ? [] : [`${unit}${range}`])].join(', ');
}

function fallbackOf(node: Node, required: boolean): string {
  if (required) return 'required';
  const value = node.default;
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return `\`${value}\``;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.length > 6 ? `${value.length} of them, see the schema` : `\`${JSON.stringify(value)}\``;
  return '';
}

/** The values of a key that are known but not available yet. */
function absentValues(path: string, absent: readonly NotAvailable[]): string {
  const values = absent.filter((entry) => entry.path === path && entry.value !== undefined).map((entry) => `\`${entry.value ?? ''}\` ‡`);
  return values.length === 0 ? '' : ` (${values.join(', ')})`;
}

function isAbsent(path: string, absent: readonly NotAvailable[]): boolean {
  return absent.some((entry) => {
    if (entry.value !== undefined || entry.fromEntries !== undefined) return false;
    const pattern = entry.path.replace(/\.\*/g, '(?:\\[\\]|\\.NAME)').replace(/(?<!\\)\.(?!NAME)/g, '\\.');
    return new RegExp(`^${pattern}(?:$|[.[])`).test(path);
  });
}

const head = `# Configuration

Made from the schema in \`src/config\` by \`bun tools/generate-docs.ts\`; a test keeps the two together. Editors that know
JSON Schema take \`schemas/config.json\`.

The file is YAML 1.2 (or JSON). A file with only \`origin.url\` is complete, and with \`--origin URL\` no file is needed. Unknown keys are
errors. \`foreshadow check --config F\` tells all problems at once, \`--print\` shows the whole configuration with its defaults.
Relative paths start at the file's folder. \`\${env:NAME}\` in a value stands for an environment variable.
On \`SIGHUP\` the file is read again and applied whole, or not at all; listeners, folders and what is sized at start need a restart.

| unit | written like |
|---|---|
| duration | \`250ms\`, \`2s\`, \`10m\`, \`24h\`, \`7d\` |
| size | \`512B\`, \`64KiB\`, \`10MB\`, \`2GiB\` |
| rate | \`20/s\`, \`30/min\`, \`1000/h\` |
| percentage | \`5%\`, \`0.5%\` |

Keys marked ‡ are known but not available yet: using one is an error, never ignored.
`;

export function configurationPage(schema: Node, absent: readonly NotAvailable[]): string {
  const sections = Object.entries(schema.properties ?? {}).map(([key, node]) => {
    const rows = keyRows({ properties: { [key]: node }, required: schema.required ?? [] });
    const simple = rows.length === 1;
    const shown = simple || node.anyOf ? rows : rows.slice(1);
    const mark = isAbsent(key, absent) ? ' ‡' : '';
    const title = `## \`${key}\`${mark}\n\n${node.description ?? ''}`;
    const table = shown.map((row) =>
      `| \`${row.path}\`${mark === '' && isAbsent(row.path, absent) ? ' ‡' : ''} | ${row.unit} | ${row.fallback} | ${simple || row.path === key ? '' : row.description}${absentValues(row.path, absent)} |`);
    return simple
      ? `${title}\n\n| key | unit or values | default |\n|---|---|---|\n${table.map((line) => line.replace(/ {2}\|$/, '')).join('\n')}\n`
      : `${title}\n\n| key | unit or values | default | |\n|---|---|---|---|\n${table.join('\n')}\n`;
  });
  return `${head}\n${sections.join('\n')}`;
}
