// Load whose every acknowledgement is remembered, and ways to ask afterwards whether all of it is there.
import { expect } from 'vitest';
import type { Client } from '../../engine/client/client.ts';
import { ClientError } from '../../engine/client/client-error.ts';
import type { TestCluster, TestNode } from './harness.ts';

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

/** What one node has, asked of it alone. */
export async function staleView(
  cluster: TestCluster,
  node: TestNode,
  prefix = '',
): Promise<Map<string, unknown>> {
  const client = cluster.client({ addresses: [node.clientAddress] });
  const found = new Map<string, unknown>();
  let cursor: string | undefined;
  do {
    const page = await client.scanPage({ prefix, limit: 5_000, consistency: 'stale', cursor });
    expect(page.receipt.node).toBe(node.clientAddress);
    for (const { key, value } of page.items) found.set(String(key), value);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  client.close();
  return found;
}
