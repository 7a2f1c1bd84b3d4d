// Lease reads on running nodes: reads without heartbeats, and a leader that goes is still followed by another.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InProcessCluster, startCluster } from './in-process-cluster.ts';
import { JsonClient } from './json-client.ts';

let cluster: InProcessCluster;

beforeAll(async () => {
  cluster = await startCluster(3, { leaseReads: true });
});

afterAll(async () => {
  await cluster.close();
});

const READS = 300;

test('[R5] reads are served without a round of heartbeats each, and see every write', async () => {
  const { node } = await cluster.elected();
  const client = new JsonClient(node.clientAddress);
  const heartbeats = (): number =>
    node.status().links.reduce((sum, { sent }) => sum + (sent.Heartbeat ?? 0), 0);
  await client.ask({ command: 'set', key: 'k', value: 0 });
  const before = heartbeats();
  for (let turn = 1; turn <= READS; turn++) {
    if (turn % 50 === 0) await client.ask({ command: 'set', key: 'k', value: turn });
    const read = await client.ask({ command: 'get', key: 'k' });
    expect(read).toMatchObject({ status: 'ok', value: turn - (turn % 50) });
  }
  // A round for each would be two heartbeats a read.
  expect(heartbeats() - before).toBeLessThan(READS);
  client.close();
});

test('[R6] a leader that stops hands over as ever', async () => {
  const first = await cluster.elected();
  await first.node.stop('the test says so');
  await cluster.restart(first.id);
  const { node } = await cluster.elected();
  const client = new JsonClient(node.clientAddress);
  expect(await client.ask({ command: 'get', key: 'k' })).toMatchObject({ status: 'ok', value: READS });
  client.close();
});
