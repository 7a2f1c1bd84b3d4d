// Load on etcd over gRPC with unary Put and Range, the calls that its own client makes. No third-party generator
// for etcd is packaged for Debian; this one writes the two messages by hand to stay out of the store's way.
import { type ClientHttp2Session, connect } from 'node:http2';
import { createHistogram } from 'node:perf_hooks';
import { isWrite, type LoadResult, type LoadShape, loadKey } from './load.ts';

export interface EtcdLoadOptions extends LoadShape {
  /** `http://host:port` of the leader. */
  url: string;
  durationMs: number;
}

/** Calls share connections as they do in etcd's own client and benchmark. */
const CLIENTS_PER_SESSION = 32;
const HEADERS = {
  ':method': 'POST',
  'content-type': 'application/grpc',
  te: 'trailers',
};

export async function runEtcdLoad(options: EtcdLoadOptions): Promise<LoadResult> {
  const { url, connections, pipeline, durationMs, operation, valueBytes } = options;
  const value = Buffer.alloc(valueBytes, 'x');
  const callers = connections * pipeline;
  const sessions = await Promise.all(
    Array.from({ length: Math.ceil(callers / CLIENTS_PER_SESSION) }, () => openSession(url)),
  );
  const histogram = createHistogram();
  const startedAt = performance.now();
  const endsAt = startedAt + durationMs;
  let acknowledged = 0;
  const work = async (caller: number): Promise<void> => {
    const session = sessions[caller % sessions.length] as ClientHttp2Session;
    for (let sequence = 0; performance.now() < endsAt; sequence++) {
      const key = Buffer.from(loadKey(caller, sequence));
      const sentAt = performance.now();
      if (isWrite(operation, sequence)) await call(session, '/etcdserverpb.KV/Put', message(key, value));
      else await call(session, '/etcdserverpb.KV/Range', message(key));
      histogram.record(Math.max(1, Math.round((performance.now() - sentAt) * 1e6)));
      acknowledged++;
    }
  };
  try {
    await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)));
  } finally {
    for (const session of sessions) session.close();
  }
  return {
    perSecond: (acknowledged / (performance.now() - startedAt)) * 1000,
    p50Ms: histogram.percentile(50) / 1e6,
    p99Ms: histogram.percentile(99) / 1e6,
  };
}

function openSession(url: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    session.once('connect', () => resolve(session));
    session.once('error', reject);
  });
}

/** Both requests have the key as field 1; a Put has the value as field 2. */
function message(key: Buffer, value?: Buffer): Buffer {
  const fields = [Buffer.from([0x0a, ...varint(key.length)]), key];
  if (value !== undefined) fields.push(Buffer.from([0x12, ...varint(value.length)]), value);
  const body = Buffer.concat(fields);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return bytes;
}

function call(session: ClientHttp2Session, path: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...HEADERS, ':path': path });
    let status = '';
    const note = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', reject);
    stream.on('end', () => {
      if (status === '0') resolve();
      else reject(new Error(`etcd answered ${path} with gRPC status ${status}`));
    });
    stream.resume();
    stream.end(body);
  });
}
