/**
 * Tests of `esi:when` (ESI 1.0 §5): literals, variables, comparisons, `!`, `&`, `|` and parentheses, in this order of strength. Read into a bounded
 * tree by descent and walked; a test is never run as code. What can't be read is no expression, and its `when` is never chosen.
 */
import { readVariable, valueOf, type EsiFacts, type Value, type Variable } from './variable.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly operator: Operator; readonly left: Expression; readonly right: Expression };

type Operator = '==' | '!=' | '<' | '>' | '<=' | '>=';

/** Longer tests are never true. */
const expressionCharactersMax = 1_024;
/** Parentheses and `!` inside each other; deeper tests are never true. */
const expressionDepthMax = 32;

const tokenPattern = /\s*(?:(==|!=|<=|>=|&&?|\|\|?|[<>!()])|'([^']*)'|"([^"]*)"|([A-Za-z0-9_.+-]+))/y;

type Token = { readonly kind: 'sign'; readonly sign: string } | { readonly kind: 'operand'; readonly expression: Expression };

export function parseExpression(text: string): Expression | undefined {
  const tokens = text.length > expressionCharactersMax ? undefined : tokensOf(text);
  if (!tokens) return undefined;
  const reader = new Reader(tokens);
  const expression = reader.either(0);
  return reader.done ? expression : undefined;
}

export function holds(expression: Expression, facts: EsiFacts): boolean {
  const value = evaluate(expression, facts);
  return value === true || (typeof value === 'string' && value !== '');
}

/** The variables that decide, whether they come to be looked at or not. */
export function variablesOf(expression: Expression): readonly Variable[] {
  switch (expression.kind) {
    case 'literal': return [];
    case 'variable': return [expression.variable];
    case 'not': return variablesOf(expression.of);
    case 'and': case 'or': case 'compare': return [...variablesOf(expression.left), ...variablesOf(expression.right)];
  }
}

function evaluate(expression: Expression, facts: EsiFacts): Value {
  switch (expression.kind) {
    case 'literal': return expression.value;
    case 'variable': return valueOf(expression.variable, facts);
    case 'not': return !holds(expression.of, facts);
    case 'and': return holds(expression.left, facts) && holds(expression.right, facts);
    case 'or': return holds(expression.left, facts) || holds(expression.right, facts);
    case 'compare': return compare(expression.operator, evaluate(expression.left, facts), evaluate(expression.right, facts));
  }
}

const numeral = /^[+-]?\d+(?:\.\d+)?$/;

/** By number where both are numerals, else by characters; false, `!=` too, where either is empty (§5.1). */
function compare(operator: Operator, left: Value, right: Value): boolean {
  const [a, b] = [String(left ?? ''), String(right ?? '')];
  if (a === '' || b === '') return false;
  return numeral.test(a) && numeral.test(b) ? ordered(operator, Number(a), Number(b)) : ordered(operator, a, b);
}

function ordered<T extends string | number>(operator: Operator, a: T, b: T): boolean {
  switch (operator) {
    case '==': return a === b;
    case '!=': return a !== b;
    case '<': return a < b;
    case '>': return a > b;
    case '<=': return a <= b;
    case '>=': return a >= b;
  }
}

function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    const blanks = text.slice(at).search(/\S/);
    const variable = readVariable(text, at + blanks);
    if (variable) {
      tokens.push({ kind: 'operand', expression: { kind: 'variable', variable: variable.variable } });
      at = variable.to;
      continue;
    }
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (!match) return undefined;
    const [whole, sign, single, double, word] = match;
    tokens.push(sign === undefined ? { kind: 'operand', expression: { kind: 'literal', value: single ?? double ?? word ?? '' } } : { kind: 'sign', sign });
    at += whole.length;
  }
  return tokens;
}

/** Reads by descent; undefined is a test that can't be read. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get done(): boolean {
    return this.#at === this.#tokens.length;
  }

  either(depth: number): Expression | undefined {
    return this.#chain(['|', '||'], 'or', () => this.#chain(['&', '&&'], 'and', () => this.#negation(depth)));
  }

  #chain(signs: readonly string[], kind: 'and' | 'or', next: () => Expression | undefined): Expression | undefined {
    let left = next();
    while (left && this.#take(signs) !== undefined) {
      const right = next();
      left = right && { kind, left, right };
    }
    return left;
  }

  #negation(depth: number): Expression | undefined {
    if (this.#take(['!']) === undefined) return this.#comparison(depth);
    const of = depth < expressionDepthMax ? this.#negation(depth + 1) : undefined;
    return of && { kind: 'not', of };
  }

  #comparison(depth: number): Expression | undefined {
    const left = this.#operand(depth);
    const operator = left && this.#take(['==', '!=', '<=', '>=', '<', '>']);
    if (!left || operator === undefined) return left;
    const right = this.#operand(depth);
    return right && { kind: 'compare', operator, left, right };
  }

  #operand(depth: number): Expression | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind === 'operand') {
      this.#at++;
      return token.expression;
    }
    if (depth >= expressionDepthMax || this.#take(['(']) === undefined) return undefined;
    const inner = this.either(depth + 1);
    return this.#take([')']) === undefined ? undefined : inner;
  }

  #take<T extends string>(signs: readonly T[]): T | undefined {
    const token = this.#tokens[this.#at];
    const sign = token?.kind === 'sign' ? signs.find((one) => one === token.sign) : undefined;
    if (sign !== undefined) this.#at++;
    return sign;
  }
}
