// Cuts a console line into words. Quotes hold a word together where it starts, or after the first `=` of
// key=value; inside a word they stand for themselves, so that {"a":1} needs no escaping.

export interface Word {
  text: string;
  /** Half open, in characters of the line. */
  start: number;
  end: number;
  /** Written with quotes: "nil" is text, nil is nothing. */
  quoted: boolean;
  /** The line ends inside the quotes. */
  open: boolean;
  /** Where the first `=` outside of quotes stands in `text`; -1 without one. */
  equals: number;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** Never fails: an open quote is told by `open` of the last word, text glued to a closing quote starts a word. */
export function splitWords(line: string): Word[] {
  const words: Word[] = [];
  let position = 0;
  while (position < line.length) {
    if (isSpace(line[position])) {
      position += 1;
      continue;
    }
    const word = readWord(line, position);
    words.push(word);
    position = word.end;
  }
  return words;
}

function readWord(line: string, start: number): Word {
  const word: Word = { text: '', start, end: start, quoted: false, open: false, equals: -1 };
  let position = start;
  while (position < line.length && !isSpace(line[position])) {
    const character = line[position] ?? '';
    const quoteMayOpen = position === start || (word.equals >= 0 && word.equals === word.text.length - 1);
    if (quoteMayOpen && (character === '"' || character === "'")) {
      position = readQuoted(line, position, word);
      // A key in quotes may be followed by its `=`; anything else begins a new word.
      if (line[position] !== '=' || word.equals >= 0) break;
    } else {
      if (character === '=' && word.equals < 0) word.equals = word.text.length;
      word.text += character;
      position += 1;
    }
  }
  word.end = position;
  return word;
}

function readQuoted(line: string, start: number, word: Word): number {
  const quote = line[start];
  word.quoted = true;
  let position = start + 1;
  while (position < line.length && line[position] !== quote) {
    const next = line[position + 1];
    if (line[position] === '\\' && next !== undefined) {
      // Within single quotes only the quote and the backslash can be escaped, as in a shell.
      const simple = next === quote || next === '\\';
      word.text += simple ? next : quote === '"' ? (ESCAPES[next] ?? `\\${next}`) : `\\${next}`;
      position += 2;
    } else {
      word.text += line[position];
      position += 1;
    }
  }
  if (position >= line.length) {
    word.open = true;
    return position;
  }
  return position + 1;
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character);
}
