// Does the report say what happened? Verdict first, figures that add up, and one document that needs nothing else.
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../engine/chaos/html-report.ts';
import { type ChaosReport, reportLines } from '../../engine/chaos/report.ts';
import { OPERATION_KINDS } from '../../engine/chaos/tally.ts';

function sample(change: Partial<ChaosReport> = {}): ChaosReport {
  return {
    seed: 7,
    nodes: 3,
    clients: 8,
    faultsMs: 120_000,
    totalMs: 127_500,
    startedAt: '2026-01-02T03:04:05.000Z',
    verdict: 'ok',
    reasons: [],
    operations: OPERATION_KINDS.map((kind) => ({ kind, counts: { ok: 1000, failed: 10, unknown: 1 } })),
    acknowledgedWrites: 5000,
    lost: 0,
    repeats: 12,
    keys: 200,
    generations: 11,
    marks: [
      { number: 1, kind: 'kill', target: 'n1', fromMs: 10_000, untilMs: 12_000, detail: '' },
      { number: 2, kind: 'slowLinks', target: 'n2', fromMs: 10_500, untilMs: 11_000, detail: '' },
      { number: 3, kind: 'powerCutAll', target: 'n1 n2 n3', fromMs: 50_000, untilMs: null, detail: '' },
    ],
    withheld: [{ kind: 'wipe', count: 2 }],
    reigns: [{ node: 1, term: 1, atMs: 200 }],
    events: [{ type: 'leaderElected', count: 3 }],
    seconds: [{ ok: 300, failed: 2, unknown: 1, p50Ms: 3, p99Ms: 40 }],
    pauses: [{ fromMs: 10_100, untilMs: 10_900, wellMs: 700 }],
    longestPause: { fromMs: 10_100, untilMs: 10_900, wellMs: 700 },
    longestWellMs: 700,
    convergedMs: 80,
    isQuietHealing: true,
    hasLeaseReads: false,
    finalIndex: 5100,
    ...change,
  };
}

describe('the report of a chaos run', () => {
  it('in the terminal begins with the verdict, and its figures add up', () => {
    const lines = reportLines(sample());
    expect(lines[0]).toMatch(/^ok: every history is linearizable/);
    const text = lines.join('\n');
    expect(text).toContain('operations          8,088');
    expect(text).toContain('acknowledged        8,000, of them 5,000 writes');
    expect(text).toContain('0.80 s without an acknowledged write; 0.70 s with a majority well');
    expect(text).toContain('faults              3, 2 of them took something away');
    expect(text).toContain('wipe 2');
  });

  it('says what was lost first, and every reason below', () => {
    const lines = reportLines(sample({ verdict: 'violation', lost: 2, reasons: ['a is gone', 'so is b'] }));
    expect(lines[0]).toBe('violation: 2 acknowledged writes lost; a is gone (and 1 more)');
    expect(lines.join('\n')).toContain('! so is b');
  });

  it('as a document loads nothing from anywhere, and shows each fault with its times', () => {
    const html = renderReport(sample());
    expect(html).not.toMatch(/<script|<link|src=|https?:/);
    expect(html).toContain('kill n1, at 10.0 s for 2.00 s');
    expect(html.indexOf('class="verdict ok"')).toBeLessThan(html.indexOf('Timeline'));
    // The gap is told with what took a node away, and not with what only slowed one down.
    expect(html).toContain('<td>kill n1</td>');
  });

  it('as a document lets nothing that a node said become markup', () => {
    const html = renderReport(sample({ verdict: 'violation', reasons: ['<img onerror=x> & more'] }));
    expect(html).toContain('&lt;img onerror=x&gt; &amp; more');
    expect(html).not.toContain('<img');
  });
});
