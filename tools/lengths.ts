/**
 * How long files and functions are, for `npm run check`: the median, nine in ten, and whatever is beyond the house's measure.
 * A file over it says why in its header (`Long because ...`); a function over it fails the check. Lint has harder bounds.
 */
import { filesBelow, readText, withoutComments } from './sources.ts';

const fileLinesMax = 300;
const functionLinesMax = 70;

export interface Length {
  readonly name: string;
  readonly lines: number;
}

/** Functions and methods that begin at column 0 or 2, with their lines: house style ends each with a brace at the same column. */
export function functionLengths(path: string, text: string): Length[] {
  const lines = withoutComments(text).split('\n');
  return lines.flatMap((line, start) => {
    const head = /^( {0,2})(?:export )?(?:(?:async )?function\*? ?|(?:static |override |readonly |private )*(?:async |get |set )?(?=[#\w]+(?:<[^>]*>)?\())(#?\w+).*[{(]$/.exec(line);
    if (!head || /^\s*(?:if|for|while|switch|return|expect|test|describe)\b/.test(line)) return [];
    const indent = head[1] ?? '';
    const length = lines.slice(start).findIndex((other) => other.startsWith(`${indent}}`)) + 1;
    return length > 0 ? [{ name: `${path}: ${head[2] ?? ''}`, lines: length }] : [];
  });
}

export function report(): { readonly line: string; readonly problems: string[] } {
  const paths = filesBelow('src', '.ts').filter((path) => !path.endsWith('.test.ts'));
  const texts = paths.map((path) => ({ path, text: readText(path) }));
  const files = texts.map(({ path, text }): Length => ({ name: path, lines: text.split('\n').length - 1 }));
  const functions = texts.flatMap(({ path, text }) => functionLengths(path, text));
  const longFiles = files.filter(({ name, lines }) => lines > fileLinesMax && !/Long because /.test(texts.find(({ path }) => path === name)?.text.slice(0, 1500) ?? ''));
  const longFunctions = functions.filter(({ lines }) => lines > functionLinesMax);
  return {
    line: `${files.length} files, ${shape(files)}; ${functions.length} functions, ${shape(functions)}`,
    problems: [
      ...longFiles.map(({ name, lines }) => `${name} has ${lines} lines, more than ${fileLinesMax}; split it, or say in its header: Long because ...`),
      ...longFunctions.map(({ name, lines }) => `${name} has ${lines} lines, more than ${functionLinesMax}; split it`),
    ],
  };
}

function shape(lengths: readonly Length[]): string {
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return `median ${at(0.5)} lines, nine in ten up to ${at(0.9)}, longest ${at(1)}`;
}

if (import.meta.main) {
  const { line, problems } = report();
  for (const problem of problems) console.error(problem);
  console.log(line);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
