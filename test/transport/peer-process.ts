// A process of its own with one peer transport, to be killed: prints its port and waits for the end.
import { openPeerTransport } from '../../engine/transport/peer-transport.ts';
import type { PeerAddress } from '../../engine/transport/types.ts';

const { id, peers } = JSON.parse(process.argv[2] ?? '') as { id: number; peers: PeerAddress[] };
const transport = await openPeerTransport({
  nodeId: id,
  clusterId: 'test-cluster',
  host: '127.0.0.1',
  port: 0,
  peers,
  listener: { onMessages: () => {}, onConnected: () => {}, onDisconnected: () => {} },
  random: () => 0,
});
process.stdout.write(`${transport.address.split(':')[1]}\n`);
