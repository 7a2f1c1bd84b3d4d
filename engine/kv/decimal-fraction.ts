// Sums of decimal fractions, as `incrByFloat` makes them: exact, then rounded to 17 places, which is what Redis
// prints. Redis itself adds 80-bit binary floats of about 19 digits; within those both agree, and where 0.1 + 0.2
// would show a binary float's error, this is the one without it.

/** `digits` * 10^-`places`. */
interface Fraction {
  digits: bigint;
  places: number;
}

const FRACTION = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,5}))?$/;
/** Nothing longer is a number that makes sense, and the work stays bounded. */
const CHARACTERS_MAX = 400;
/** Beyond it, a number is larger than any double, or rounds to nothing. */
const EXPONENT_MAX = 800;
const PLACES = 17;
const SCALE = 10n ** BigInt(PLACES);
/** As large as a double can be. */
const SUM_MAX = BigInt(Number.MAX_VALUE) * SCALE;

function parse(text: string): Fraction | null {
  if (text.length > CHARACTERS_MAX) return null;
  const match = FRACTION.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', part = '', exponent = '0'] = match;
  if (whole === '' && part === '') return null;
  const size = BigInt(whole + part);
  if (size === 0n) return { digits: 0n, places: 0 };
  const places = part.length - Number(exponent);
  // Sizes that no double has, and those that are nothing after rounding, need no more digits to be told apart.
  const bounded = Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, places));
  return { digits: sign === '-' ? -size : size, places: bounded };
}

export function isFraction(text: string): boolean {
  return parse(text) !== null;
}

/** `digits` in units of 10^-17, half a unit away from zero. */
function rounded({ digits, places }: Fraction): bigint {
  if (places <= PLACES) return digits * 10n ** BigInt(PLACES - places);
  const unit = 10n ** BigInt(places - PLACES);
  const half = digits < 0n ? -unit / 2n : unit / 2n;
  return (digits + half) / unit;
}

function print(units: bigint): string {
  const size = units < 0n ? -units : units;
  const part = String(size % SCALE)
    .padStart(PLACES, '0')
    .replace(/0+$/, '');
  const text = part === '' ? String(size / SCALE) : `${size / SCALE}.${part}`;
  return units < 0n ? `-${text}` : text;
}

/** The sum of two fractions (isFraction), without exponent and needless zeros; null when it is beyond a double. */
export function addFractions(left: string, right: string): string | null {
  const [a, b] = [parse(left), parse(right)];
  if (a === null || b === null) return null;
  const places = Math.max(a.places, b.places);
  const aligned = (side: Fraction) => side.digits * 10n ** BigInt(places - side.places);
  const units = rounded({ digits: aligned(a) + aligned(b), places });
  return units > SUM_MAX || units < -SUM_MAX ? null : print(units);
}
