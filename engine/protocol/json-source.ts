// Finds pieces of JSON text inside JSON text that is already known to be valid. For what JSON.parse cannot give
// back: numbers with more digits than a double holds, and values nested deeper than JSON.stringify can go.

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

function skipSpace(json: string, start: number): number {
  let at = start;
  while (isSpace(json.charCodeAt(at))) at++;
  return at;
}

/** The offset behind the string that begins at `start`. */
function skipString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (quote !== -1) {
    let backslashes = 0;
    while (json.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    quote = json.indexOf('"', quote + 1);
  }
  return json.length;
}

/** The offset behind the value that begins at `start`. Without recursion: depth costs no stack. */
function skipValue(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const character = json[at] as string;
    if (character === '"') {
      at = skipString(json, at);
    } else if (character === '{' || character === '[') {
      depth++;
      at++;
      continue;
    } else if (character === '}' || character === ']') {
      depth--;
      at++;
    } else if (depth > 0) {
      at++;
      continue;
    } else {
      while (at < json.length && !/[\s,\]}]/.test(json[at] as string)) at++;
    }
    if (depth === 0) return at;
  }
  return json.length;
}

/** Without the white space between tokens. */
function compact(json: string): string {
  const pieces: string[] = [];
  let from = 0;
  let at = 0;
  while (at < json.length) {
    const unit = json.charCodeAt(at);
    if (unit === 0x22) {
      at = skipString(json, at);
    } else if (isSpace(unit)) {
      pieces.push(json.slice(from, at));
      at = skipSpace(json, at);
      from = at;
    } else {
      at++;
    }
  }
  pieces.push(json.slice(from));
  return pieces.join('');
}

/** The source text of the elements of `json`, which is an array; compact. */
export function elementSources(json: string): string[] {
  const sources: string[] = [];
  let at = skipSpace(json, skipSpace(json, 0) + 1);
  while (at < json.length && json[at] !== ']') {
    const end = skipValue(json, at);
    sources.push(compact(json.slice(at, end)));
    at = skipSpace(json, end);
    if (json[at] === ',') at = skipSpace(json, at + 1);
  }
  return sources;
}

/** The source text of a member of `json`, which is an object; compact. As JSON.parse does, the last of a name counts. */
export function memberSource(json: string, name: string): string | null {
  let found: string | null = null;
  let at = skipSpace(json, skipSpace(json, 0) + 1);
  while (at < json.length && json[at] !== '}') {
    const nameEnd = skipString(json, at);
    const thisName: unknown = JSON.parse(json.slice(at, nameEnd));
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1); // past the colon
    const end = skipValue(json, start);
    if (thisName === name) found = json.slice(start, end);
    at = skipSpace(json, end);
    if (json[at] === ',') at = skipSpace(json, at + 1);
  }
  return found === null ? null : compact(found);
}
