/**
 * A problem with the configuration as a person needs it: where (path, line, column), what is wrong, what to do. Problems
 * are collected, never thrown one by one. Elsewhere in this folder a message is `reason; hint`; it is taken apart here.
 */
export type Path = readonly (string | number)[];

export interface Problem {
  /** `routes[2].vary[0]`; empty for the document as a whole; `--origin` and the like for the command line. */
  readonly path: string;
  /** From 1, in the file; undefined where there is none. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly reason: string;
  /** Empty where the reason says it all. */
  readonly hint: string;
}

/** A problem before its place in the file is looked up. */
export interface Finding {
  readonly path: Path;
  readonly reason: string;
  readonly hint: string;
  /** Whether the place to show is the key, not its value. */
  readonly atKey?: boolean;
}

export function finding(path: Path, message: string, atKey = false): Finding {
  const cut = message.indexOf('; ');
  return cut < 0 ? { path, reason: message, hint: '', atKey } : { path, reason: message.slice(0, cut), hint: message.slice(cut + 2), atKey };
}

export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** One line for each problem: `foreshadow.yaml:12:5: routes[2].vary[0]: reason; hint`. */
export function formatProblems(problems: readonly Problem[], file = ''): string {
  return problems
    .map((problem) => {
      const place = problem.line === undefined ? file : `${file === '' ? 'line ' : `${file}:`}${problem.line}:${problem.column ?? 1}`;
      const parts = [place, problem.path, problem.reason].filter((part) => part !== '');
      return `${parts.join(': ')}${problem.hint === '' ? '' : `; ${problem.hint}`}`;
    })
    .join('\n');
}

/** The candidate a person most likely meant: the nearest by edit distance, if it is near enough. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 0.5;
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. Inputs are cut at 64 characters. */
export function editDistance(left: string, right: string): number {
  const a = left.slice(0, 64);
  const b = right.slice(0, 64);
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
