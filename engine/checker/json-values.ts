// JSON values compared by content: canonical text (object keys sorted), and small numbers that stand for values.

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const DEPTH_MAX = 100;

/**
 * What keeps a parsed JSON value from being compared safely, or null. Integers beyond 2^53 are refused:
 * JSON.parse rounds them, so two different ones could become equal and hide a violation.
 */
export function findUnsafePart(value: unknown, depth = 0): string | null {
  if (depth > DEPTH_MAX) return `a value nested at most ${DEPTH_MAX} deep`;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'a finite number';
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      return `an integer within ±2^53 (write ${value} as a string)`;
    }
    return null;
  }
  if (value === undefined || typeof value === 'function' || typeof value === 'bigint') return 'a JSON value';
  if (value === null || typeof value !== 'object') return null;
  for (const part of Object.values(value)) {
    const problem = findUnsafePart(part, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** Equal values give equal text: `{"a":1,"b":2}` and `{"b":2,"a":1}` are one value, `1` and `"1"` are two. */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isJsonList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`).join(',')}}`;
}

/** Array.isArray does not narrow readonly arrays. */
export function isJsonList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Numbers values from 0 in the order of their first appearance. */
export class ValueTable {
  /** By itself: null, booleans, numbers and strings are equal for a Map when they are equal as JSON. */
  readonly #simple = new Map<JsonValue, number>();
  /** By canonical text: lists and objects. */
  readonly #composed = new Map<string, number>();
  readonly #values: JsonValue[] = [];

  idOf(value: JsonValue): number {
    if (value === null || typeof value !== 'object') {
      const known = this.#simple.get(value);
      if (known !== undefined) return known;
      this.#simple.set(value, this.#values.length);
    } else {
      const text = canonicalJson(value);
      const known = this.#composed.get(text);
      if (known !== undefined) return known;
      this.#composed.set(text, this.#values.length);
    }
    return this.#values.push(value) - 1;
  }

  valueOf(id: number): JsonValue {
    return this.#values[id] ?? null;
  }
}
