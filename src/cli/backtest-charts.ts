/**
 * Charts of the backtest's report as inline SVG, which needs nothing else. Each is drawn twice, for a wide and for a narrow page (`wide` and `narrow`
 * in the style sheet), so that letters stay readable on a phone; colours are classes, so that they follow the reader's light or dark. Pure.
 */
export interface Line {
  /** Class that says its colour. */
  readonly of: string;
  /** One a point; undefined for a gap. */
  readonly values: readonly (number | undefined)[];
}

export interface Tick {
  /** Position among the points, 0 for the first. */
  readonly at: number;
  readonly text: string;
}

export interface LineChart {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly ticks: readonly Tick[];
  /** Bars below the lines, as parts of the largest: how much each point stands on. */
  readonly weights?: readonly number[];
}

export interface Dot {
  readonly of: string;
  readonly x: number;
  readonly y: number;
  /** Said when pointed at. */
  readonly title: string;
}

const widths = { wide: 920, narrow: 380 } as const;
type Size = keyof typeof widths;

function both(draw: (width: number, size: Size) => string): string {
  return draw(widths.wide, 'wide') + draw(widths.narrow, 'narrow');
}

function svg(width: number, height: number, size: Size, label: string, content: string): string {
  return `<svg class="${size}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${content}</svg>`;
}

/** Shares (0 to 1) over points. The scale begins at a round number below the least value, for it is differences that matter. */
export function lineChart({ label, lines, ticks, weights }: LineChart): string {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== undefined));
  if (values.length === 0) return '';
  const step = Math.max(...values) - Math.min(...values) > 0.45 ? 0.2 : 0.1;
  const low = Math.max(0, Math.floor(Math.min(...values) / step - 1e-9) * step);
  const high = Math.min(1, Math.ceil(Math.max(...values) * 10 + 1e-9) / 10);
  return both((width, size) => {
    const height = size === 'wide' ? 300 : 240;
    const [left, right, top] = [46, 10, 10];
    const base = height - (weights ? 62 : 28);
    const points = Math.max(...lines.map((line) => line.values.length));
    const x = (at: number): number => left + ((width - left - right) * (weights ? at + 0.5 : at)) / Math.max(1, weights ? points : points - 1);
    const y = (value: number): number => base - ((base - top) * (value - low)) / Math.max(1e-9, high - low);
    const grid: string[] = [];
    for (let value = low; value <= high + 1e-9; value += step) {
      grid.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/><text x="${left - 6}" y="${fixed(y(value) + 4)}" text-anchor="end">${Math.round(value * 100)} %</text>`);
    }
    const every = Math.ceil(ticks.length / (size === 'wide' ? 13 : 5));
    const marks = ticks.filter((_, i) => i % every === 0).map(({ at, text }) => `<line class="grid" x1="${fixed(x(at))}" x2="${fixed(x(at))}" y1="${base}" y2="${base + 4}"/><text x="${fixed(x(at))}" y="${height - 8}" text-anchor="${anchorOf(x(at), width)}">${escaped(text)}</text>`);
    const most = Math.max(1e-9, ...(weights ?? []));
    const bars = (weights ?? []).map((weight, at) => `<rect class="weight" x="${fixed(x(at - 0.4))}" width="${fixed(x(at + 0.4) - x(at - 0.4))}" y="${fixed(height - 26 - (28 * weight) / most)}" height="${fixed((28 * weight) / most)}"/>`);
    return svg(width, height, size, label, `${grid.join('')}${marks.join('')}${bars.join('')}${lines.map((line) => polyline(line, x, y)).join('')}`);
  });
}

/** A line with gaps where there is no value. */
function polyline({ of, values }: Line, x: (at: number) => number, y: (value: number) => number): string {
  let path = '';
  let pen = 'M';
  values.forEach((value, at) => {
    if (value === undefined) pen = 'M';
    else {
      path += `${pen}${fixed(x(at))} ${fixed(y(value))}`;
      pen = 'L';
    }
  });
  return `<path class="line ${of}" d="${path}"/>`;
}

/** What was said (across) against what came true (up), on logarithmic axes from one in a thousand to one. */
export function calibrationChart(label: string, dots: readonly Dot[]): string {
  return both((width, size) => {
    const side = size === 'wide' ? 420 : width;
    const [left, bottom, top] = [58, 40, 10];
    const long = side - left - 24;
    const high = side - bottom - top;
    const scale = (value: number): number => (Math.log10(Math.min(1, Math.max(0.001, value))) + 3) / 3;
    const x = (value: number): number => left + scale(value) * long;
    const y = (value: number): number => top + (1 - scale(value)) * high;
    const grid = [0.001, 0.01, 0.1, 1].map((value) => {
      const name = value < 0.01 ? '0.1 %' : `${value * 100} %`;
      return `<line class="grid" x1="${fixed(x(value))}" x2="${fixed(x(value))}" y1="${top}" y2="${top + high}"/><line class="grid" x1="${left}" x2="${left + long}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>`
        + `<text x="${fixed(x(value))}" y="${side - bottom + 18}" text-anchor="middle">${name}</text><text x="${left - 6}" y="${fixed(y(value) + 4)}" text-anchor="end">${name}</text>`;
    });
    return svg(side, side, size, label, `${grid.join('')}<line class="ideal" x1="${left}" y1="${top + high}" x2="${left + long}" y2="${top}"/>`
      + dots.map((dot) => mark(dot, x(dot.x), y(dot.y))).join('')
      + `<text x="${left + long / 2}" y="${side - 4}" text-anchor="middle">said</text><text transform="translate(12 ${top + high / 2}) rotate(-90)" text-anchor="middle">came true</text>`);
  });
}

/** Shares of counts within their 90 % interval, by stratum, beside the band they should be in. */
export function intervalChart(label: string, strata: readonly string[], dots: readonly Dot[], band: readonly [number, number]): string {
  const low = Math.min(0.8, ...dots.map(({ y }) => Math.floor(y * 20) / 20));
  return both((width, size) => {
    const wide = size === 'wide' ? 460 : width;
    const height = size === 'wide' ? 420 : 320;
    const [left, bottom, top] = [48, 58, 10];
    const base = height - bottom;
    const x = (at: number): number => left + ((wide - left - 10) * (at + 0.5)) / strata.length;
    const y = (value: number): number => base - ((base - top) * (value - low)) / (1 - low);
    const grid: string[] = [];
    for (let value = low; value <= 1 + 1e-9; value += 0.05) grid.push(`<line class="grid" x1="${left}" x2="${wide - 10}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/><text x="${left - 6}" y="${fixed(y(value) + 4)}" text-anchor="end">${Math.round(value * 100)} %</text>`);
    const every = size === 'wide' ? 1 : 2;
    const names = strata.map((name, at) => (at % every !== 0 ? '' : `<text x="${fixed(x(at))}" y="${base + 18}" text-anchor="middle">${escaped(name)}</text>`));
    return svg(wide, height, size, label, `<rect class="band" x="${left}" width="${wide - left - 10}" y="${fixed(y(band[1]))}" height="${fixed(y(band[0]) - y(band[1]))}"/>${grid.join('')}${names.join('')}`
      + dots.map((dot) => mark(dot, x(dot.x), y(dot.y))).join('')
      + `<text x="${left + (wide - left) / 2}" y="${height - 10}" text-anchor="middle">requests expected in 15 min, below</text>`);
  });
}

function mark({ of, title }: Dot, x: number, y: number): string {
  return `<circle class="dot ${of}" cx="${fixed(x)}" cy="${fixed(y)}" r="5"><title>${escaped(title)}</title></circle>`;
}

function anchorOf(x: number, width: number): string {
  return x < 60 ? 'start' : x > width - 40 ? 'end' : 'middle';
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text that may stand anywhere in HTML. */
export function escaped(raw: string): string {
  return raw.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
