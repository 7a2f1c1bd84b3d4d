// Numbers as people read them. One precision rule for each unit, so that columns line up and never jump.

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Shown where a figure is not known. */
export const UNKNOWN = '–';

/** `12,345` */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `950`, `12.3k`, `4.56M`: three figures, for places without room. */
export function shortCount(value: number): string {
  if (value < 1000)
    return value < 10 && value > 0 && value % 1 !== 0 ? value.toFixed(1) : WHOLE.format(value);
  if (value < 1_000_000) return `${threeFigures(value / 1000)}k`;
  return `${threeFigures(value / 1_000_000)}M`;
}

/** `75k`, `2.5k`, `800`: for axes, where round numbers stand. */
export function axisCount(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toFixed(2))}M`;
  return value >= 1000 ? `${Number((value / 1000).toFixed(2))}k` : String(Number(value.toFixed(2)));
}

/** `0.42 ms`, `12.3 ms`, `184 ms`, `1.25 s` */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${threeFigures(value / 1000)} s`;
  if (value >= 100) return `${Math.round(value)} ms`;
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
}

/** `512 B`, `1.5 KiB`, `8.0 MiB` */
export function bytes(value: number): string {
  if (value < 1024) return `${Math.round(value)} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 'B';
  for (const next of units) {
    if (scaled < 1024) break;
    scaled /= 1024;
    unit = next;
  }
  return `${threeFigures(scaled)} ${unit}`;
}

/** `12 s`, `3 min 4 s`, `2 h 15 min` */
export function duration(valueMs: number): string {
  const seconds = Math.max(0, Math.floor(valueMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `14:03:27.512` in local time. */
export function clockTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/** `one`, `one and two`, `one, two and three` */
export function listed(words: readonly string[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function threeFigures(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
