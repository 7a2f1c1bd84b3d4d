// Signed 64-bit whole numbers in decimal, as `incr` keeps them: `0`, or digits without leading zero, `-` before them.

const DECIMAL = /^(?:0|-?[1-9][0-9]{0,18})$/;
/** Two numbers of so many characters add up exactly as doubles. */
const EXACT_CHARACTERS = 15;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

export function isDecimal(text: string): boolean {
  if (!DECIMAL.test(text)) return false;
  if (text.length < 19) return true;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** The sum of two decimals (isDecimal), or null when it does not fit 64 bits. */
export function addDecimals(left: string, right: string): string | null {
  if (left.length <= EXACT_CHARACTERS && right.length <= EXACT_CHARACTERS) {
    return String(Number(left) + Number(right));
  }
  const sum = BigInt(left) + BigInt(right);
  return sum >= INT64_MIN && sum <= INT64_MAX ? String(sum) : null;
}
