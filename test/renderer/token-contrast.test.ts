// @vitest-environment node
// The tokens themselves: every text colour on every surface meets WCAG AA in both themes.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../../src/renderer/styles/tokens.css', import.meta.url), 'utf8');

function themeOf(name: 'dark' | 'light'): Map<string, string> {
  const block = new RegExp(`data-theme="${name}"\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? '';
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, token = '', value = '']) => [token, value]),
  );
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(left: string, right: string): number {
  const [dark = 0, light = 0] = [luminance(left), luminance(right)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const TEXTS = [
  'text',
  'dim',
  'faint',
  'accent',
  'leader',
  'follower',
  'pre-candidate',
  'candidate',
  'dead',
  'paused',
];
const SURFACES = ['ground', 'surface', 'raised', 'sunken', 'hover'];

for (const theme of ['dark', 'light'] as const) {
  test(`${theme}: text reads on every surface`, () => {
    const tokens = themeOf(theme);
    const tooFaint: string[] = [];
    for (const text of TEXTS) {
      for (const surface of SURFACES) {
        const ratio = contrast(tokens.get(text) ?? '', tokens.get(surface) ?? '');
        if (!(ratio >= 4.5)) tooFaint.push(`${text} on ${surface}: ${ratio.toFixed(2)}`);
      }
    }
    expect(tooFaint).toEqual([]);
    expect(contrast(tokens.get('on-accent') ?? '', tokens.get('accent-fill') ?? '')).toBeGreaterThanOrEqual(
      4.5,
    );
  });

  test(`${theme}: lines of nodes and focus rings stand out from what they lie on`, () => {
    const tokens = themeOf(theme);
    const lines = ['focus', ...[1, 2, 3, 4, 5, 6, 7].map((nodeId) => `node-${nodeId}`)];
    for (const line of lines) {
      expect(contrast(tokens.get(line) ?? '', tokens.get('surface') ?? ''), line).toBeGreaterThanOrEqual(3);
    }
  });
}
