// What the benchmark reads: replies counted however they are cut, and the table of redis-benchmark.
import { describe, expect, it } from 'vitest';
import { median } from '../../engine/bench/median.ts';
import { parseCsv } from '../../engine/bench/redis-benchmark.ts';
import { JSON_LINES, type LoadCodec, RESP } from '../../engine/bench/socket-load.ts';

function countInPieces(codec: LoadCodec, text: string, pieceBytes: number): number {
  const count = codec.replies();
  const bytes = Buffer.from(text, 'latin1');
  let total = 0;
  for (let at = 0; at < bytes.length; at += pieceBytes) total += count(bytes.subarray(at, at + pieceBytes));
  return total;
}

describe('replies are counted', () => {
  const resp = '+OK\r\n$5\r\na\r\nb\n\r\n$-1\r\n:12\r\n$0\r\n\r\n';
  const lines = '{"status":"ok","index":1}\n{"status":"ok","value":"a status: error"}\n';

  it('whole, and cut at every place', () => {
    for (let piece = 1; piece <= resp.length; piece++) expect(countInPieces(RESP, resp, piece)).toBe(5);
    for (let piece = 1; piece <= lines.length; piece++)
      expect(countInPieces(JSON_LINES, lines, piece)).toBe(2);
  });

  it('a refusal ends the load, with its words', () => {
    expect(() => RESP.replies()(Buffer.from('+OK\r\n-CLUSTERDOWN no leader\r\n'))).toThrow('CLUSTERDOWN');
    const refusal = '{"status":"error","code":"NO_SPACE","message":"the disk is full"}\n';
    for (let piece = 1; piece <= refusal.length; piece++)
      expect(() => countInPieces(JSON_LINES, refusal, piece)).toThrow('refused');
  });
});

describe('the table of redis-benchmark', () => {
  const table = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","52631.58","0.610","0.200","0.607","0.783","0.887","1.183"
`;

  it('is read by its head', () => {
    expect(parseCsv(table, 'set')).toEqual({ perSecond: 52631.58, p50Ms: 0.607, p99Ms: 0.887 });
  });

  it('without the row that is wanted is an error that shows what came', () => {
    expect(() => parseCsv('ERR unknown command', 'set')).toThrow('ERR unknown command');
  });
});

it('the median of an even number of figures lies between the two in the middle', () => {
  expect(median([4, 1, 9])).toBe(4);
  expect(median([4, 1, 9, 6])).toBe(5);
});
