// Load over plain sockets, for a fixed time: every connection keeps a fixed number of requests under way. The wire
// format is the codec's: JSON lines or RESP.
import { connect } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { isWrite, type LoadResult, type LoadShape, loadKey } from './load.ts';

export interface SocketLoadOptions extends LoadShape {
  /** `host:port`, or the path of a socket. */
  address: string;
  durationMs: number;
  codec: LoadCodec;
}

export interface LoadCodec {
  set(key: string, value: string): string;
  get(key: string): string;
  /** A counter of the replies on one connection: fed with what arrives, it returns how many ended. */
  replies(): (bytes: Buffer) => number;
}

const NEWLINE = 0x0a;

export const JSON_LINES: LoadCodec = {
  set: (key, value) => `{"command":"set","key":"${key}","value":"${value}"}\n`,
  get: (key) => `{"command":"get","key":"${key}"}\n`,
  replies: () => {
    let tail = '';
    return (bytes) => {
      let count = 0;
      for (const byte of bytes) if (byte === NEWLINE) count++;
      const text = tail + bytes.toString('latin1');
      const refused = /"status":"(error|redirect)"[^\n]*/.exec(text);
      if (refused !== null) throw new Error(`a request was refused: ${refused[0].slice(0, 200)}`);
      tail = text.slice(text.lastIndexOf('\n') + 1);
      return count;
    };
  },
};

export const RESP: LoadCodec = {
  set: (key, value) => `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`,
  get: (key) => `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`,
  replies: respReplies,
};

/** Simple strings and bulk strings are all that GET and SET answer with. */
function respReplies(): (bytes: Buffer) => number {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let count = 0;
    let at = 0;
    for (;;) {
      const end = all.indexOf(NEWLINE, at);
      if (end === -1) break;
      const type = all[at];
      if (type === 0x2d) throw new Error(`a request was refused: ${all.toString('latin1', at, end - 1)}`);
      let next = end + 1;
      if (type === 0x24) {
        const length = Number(all.toString('latin1', at + 1, end - 1));
        if (length >= 0) next += length + 2;
      }
      if (next > all.length) break;
      count++;
      at = next;
    }
    rest = at === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
    return count;
  };
}

/** Rejects when a request is refused or a connection breaks. */
export async function runSocketLoad(options: SocketLoadOptions): Promise<LoadResult> {
  const histogram = createHistogram();
  const startedAt = performance.now();
  const counts = await Promise.all(
    Array.from({ length: options.connections }, (_, connection) => drive(options, connection, histogram)),
  );
  const elapsedMs = performance.now() - startedAt;
  const acknowledged = counts.reduce((sum, count) => sum + count, 0);
  return {
    perSecond: (acknowledged / elapsedMs) * 1000,
    p50Ms: histogram.percentile(50) / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
  };
}

function drive(
  options: SocketLoadOptions,
  connection: number,
  histogram: ReturnType<typeof createHistogram>,
): Promise<number> {
  const { address, pipeline, durationMs, codec, operation, valueBytes } = options;
  const value = 'x'.repeat(valueBytes);
  return new Promise((resolve, reject) => {
    const colon = address.lastIndexOf(':');
    const socket = address.startsWith('/')
      ? connect({ path: address })
      : connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    const countReplies = codec.replies();
    const sentAt: number[] = [];
    let oldest = 0;
    let acknowledged = 0;
    let sequence = 0;
    let endsAt = 0;
    const send = (count: number): void => {
      let requests = '';
      const now = performance.now();
      for (let done = 0; done < count; done++) {
        const key = loadKey(connection, sequence);
        requests += isWrite(operation, sequence++) ? codec.set(key, value) : codec.get(key);
        sentAt.push(now);
      }
      socket.write(requests, 'latin1');
    };
    const received = (bytes: Buffer): void => {
      const now = performance.now();
      const replies = countReplies(bytes);
      for (let done = 0; done < replies; done++) {
        const at = sentAt[oldest++] as number;
        histogram.record(Math.max(1, Math.round((now - at) * 1e6)));
      }
      if (oldest > 4096) {
        sentAt.splice(0, oldest);
        oldest = 0;
      }
      acknowledged += replies;
      if (now < endsAt) send(replies);
      else if (sentAt.length === oldest) socket.end();
    };
    socket.on('connect', () => {
      endsAt = performance.now() + durationMs;
      send(pipeline);
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        received(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (sentAt.length > oldest) reject(new Error('a connection ended before its replies came'));
      else resolve(acknowledged);
    });
  });
}
