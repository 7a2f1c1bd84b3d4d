// What a connection costs that has nothing to say: 10,000 of them must stay below 200 MB.
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulks } from '../../engine/protocol/resp-encode.ts';
import { eventually, TestCluster, type TestNode } from '../cluster/harness.ts';

/** So many that what the collector has not taken away yet is the smaller part. */
const CONNECTIONS = 8_000;
const BYTES_EACH_MAX = 20_000;
const AT_ONCE = 200;

let cluster: TestCluster;
const sockets: Socket[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1 });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await cluster?.stop();
});

/** A connection that has written and read once. */
function used(node: TestNode, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(node.port, '127.0.0.1');
    sockets.push(socket);
    socket.once('error', reject);
    socket.once('connect', () => socket.write(request));
    socket.once('data', () => resolve());
  });
}

/** As the node tells it, which looks once a second. */
async function residentBytes(node: TestNode): Promise<number> {
  const asked = performance.now();
  await eventually('the node has looked again', () => performance.now() - asked > 1_500);
  return node.status?.process.residentBytes ?? 0;
}

test(`${CONNECTIONS} idle connections cost less than ${BYTES_EACH_MAX} bytes each`, async () => {
  const node = await cluster.leader();
  const request = bulks(['SET', 'a', 'x'.repeat(2000)]) + bulks(['GET', 'a']);
  // What the process needs anyway is there after some use.
  for (let at = 0; at < AT_ONCE; at++) await used(node, request);
  const before = await residentBytes(node);
  for (let at = 0; at < CONNECTIONS; at += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => used(node, request)));
  }
  await eventually('the node tells of them', () => (node.status?.clients.connections ?? 0) >= CONNECTIONS);
  const cost = (await residentBytes(node)) - before;
  console.info(`${CONNECTIONS} idle connections: ${Math.round(cost / CONNECTIONS)} bytes each`);
  expect(cost).toBeLessThan(CONNECTIONS * BYTES_EACH_MAX);
});
