// Load on one node's client port over the JSON line protocol: a number of connections, each with a fixed number
// of requests under way, for a fixed time. Counts what was acknowledged.

import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';

export interface JsonLoadOptions {
  /** `host:port` of the leader's client port. */
  address: string;
  connections: number;
  /** Requests under way on each connection. */
  pipeline: number;
  durationMs: number;
  /** The request line, its end included; called once per request. */
  line: (connection: number, sequence: number) => string;
}

export interface JsonLoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  acknowledged: number;
  refused: number;
}

const NEWLINE = 0x0a;

export async function runJsonLoad(options: JsonLoadOptions): Promise<JsonLoadResult> {
  const histogram = createHistogram();
  const startedAt = performance.now();
  const counts = await Promise.all(
    Array.from({ length: options.connections }, (_, connection) => drive(options, connection, histogram)),
  );
  const elapsedMs = performance.now() - startedAt;
  const acknowledged = counts.reduce((sum, count) => sum + count.acknowledged, 0);
  const refused = counts.reduce((sum, count) => sum + count.refused, 0);
  return {
    perSecond: (acknowledged / elapsedMs) * 1000,
    p50Ms: histogram.percentile(50) / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
    acknowledged,
    refused,
  };
}

interface Counts {
  acknowledged: number;
  refused: number;
}

function drive(
  { address, pipeline, durationMs, line }: JsonLoadOptions,
  connection: number,
  histogram: ReturnType<typeof createHistogram>,
): Promise<Counts> {
  return new Promise((resolve, reject) => {
    const [host = '', port = '0'] = address.split(':');
    const socket = connect({ host, port: Number(port), noDelay: true });
    const counts: Counts = { acknowledged: 0, refused: 0 };
    const sentAt: number[] = [];
    let rest = '';
    let sequence = 0;
    let endsAt = 0;
    const send = (count: number): void => {
      let lines = '';
      const now = performance.now();
      for (let done = 0; done < count; done++) {
        lines += line(connection, sequence++);
        sentAt.push(now);
      }
      socket.write(lines);
    };
    socket.on('connect', () => {
      endsAt = performance.now() + durationMs;
      send(pipeline);
    });
    socket.on('data', (bytes: Buffer) => {
      const now = performance.now();
      let replies = 0;
      for (const byte of bytes) if (byte === NEWLINE) replies++;
      // Only a refusal is worth a look at the text, and `"status":"ok"` stands in every other reply.
      rest += bytes.toString('latin1');
      const refused = rest.split('"status":"error"').length + rest.split('"status":"redirect"').length - 2;
      rest = rest.slice(rest.lastIndexOf('\n') + 1);
      for (let done = 0; done < replies; done++) {
        const at = sentAt.shift();
        if (at !== undefined) histogram.record(Math.max(1, Math.round((now - at) * 1e6)));
      }
      counts.refused += refused;
      counts.acknowledged += replies - refused;
      if (now < endsAt) send(replies);
      else if (sentAt.length === 0) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(counts));
  });
}
