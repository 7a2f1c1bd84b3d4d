// Load whose every acknowledgement is remembered, and ways to ask afterwards whether all of it is there.
import { expect } from 'vitest';
import type { Client } from '../../engine/client/client.ts';
import { ClientError } from '../../engine/client/client-error.ts';
import type { TestNode } from './harness.ts';
import { RawConnection } from './raw-connection.ts';

export interface Load {
  acknowledged: Map<string, string>;
  /** When each acknowledgement came, in order. */
  times: number[];
  unknown: number;
  counted: bigint;
  stop(): Promise<void>;
}

/** Writers that each set one key after the other, and one that counts; until stopped. They share the clients evenly. */
export function startLoad(clients: readonly Client[], writers: number): Load {
  const clientOf = (writer: number): Client => clients[writer % clients.length] as Client;
  let stopped = false;
  const load: Load = {
    acknowledged: new Map(),
    times: [],
    unknown: 0,
    counted: 0n,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
    },
  };
  const tolerate = (error: unknown): void => {
    if (!(error instanceof ClientError)) throw error;
    // The cluster of a failed test is gone, and nobody stopped the load.
    if (error.code === 'CLOSED') stopped = true;
    if (error.outcome === 'unknown') load.unknown++;
  };
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      const key = `w${writer}-${n}`;
      const value = `${writer}:${n}:${'x'.repeat(64)}`;
      await clientOf(writer)
        .set(key, value)
        .then(() => {
          load.acknowledged.set(key, value);
          load.times.push(performance.now());
        }, tolerate);
    }
  };
  const count = async (): Promise<void> => {
    while (!stopped) {
      await clientOf(0)
        .incr('counter')
        .then(({ value }) => {
          load.counted = value;
        }, tolerate);
    }
  };
  const loops = [count(), ...Array.from({ length: writers }, (_, writer) => write(writer))];
  return load;
}

/** All keys, or those that begin with `prefix`: the load's own begin with `w`. */
export async function everything(client: Client, prefix = ''): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for await (const { key, value } of client.scan({ prefix, limit: 5_000 })) found.set(String(key), value);
  return found;
}

export function expectAll(found: Map<string, unknown>, acknowledged: Map<string, string>): void {
  const lost = [...acknowledged].filter(([key, value]) => found.get(key) !== value);
  expect({ lost: lost.length, among: lost.slice(0, 5) }).toEqual({ lost: 0, among: [] });
}

/** What one node has, asked of it alone: a client would turn to another one when it is slow. */
export async function staleView(node: TestNode, prefix = ''): Promise<Map<string, unknown>> {
  const connection = new RawConnection(node);
  const found = new Map<string, unknown>();
  let cursor: unknown = null;
  do {
    const scan = { command: 'scan', prefix, limit: 5_000, consistency: 'stale' };
    const reply = await connection.ask(cursor === null ? scan : { ...scan, cursor });
    expect(reply.status).toBe('ok');
    for (const { key, value } of reply.items as { key: string; value: unknown }[]) found.set(key, value);
    cursor = reply.cursor ?? null;
  } while (cursor !== null);
  connection.close();
  return found;
}
