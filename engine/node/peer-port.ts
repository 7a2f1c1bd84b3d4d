// The node's peer port: what comes from peers goes to the core, and who is connected is told.
import type { Raft } from '../raft/raft.ts';
import type { InstallSnapshotResponse } from '../raft/types.ts';
import type { TransportLog } from '../transport/log.ts';
import { openPeerTransport } from '../transport/peer-transport.ts';
import type { PeerTransport } from '../transport/types.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { NodeConfig } from './node-config.ts';
import type { NodeMembers } from './node-members.ts';

export interface PeerPortOptions {
  config: NodeConfig;
  raft: Raft;
  members: NodeMembers;
  events: EventRecorder;
  log: TransportLog;
  /** What comes now is not wanted any more. */
  isStopping(): boolean;
  /** A chunk of a snapshot that this node sends was answered. */
  snapshotAnswered(message: InstallSnapshotResponse): void;
  wake(): void;
}

/** Rejects when the port cannot be had. */
export function openPeerPort(options: PeerPortOptions): Promise<PeerTransport> {
  const { config, raft, members, events, log, isStopping, snapshotAnswered, wake } = options;
  return openPeerTransport({
    nodeId: config.nodeId,
    clusterId: config.clusterId,
    secret: config.peerSecret ?? null,
    ...config.peer,
    peers: members.book.links(),
    random: Math.random,
    log,
    listener: {
      onMessages: (messages) => {
        if (isStopping()) return;
        events.recordReceived(messages);
        for (const message of messages) {
          raft.step(message);
          if (message.type === 'InstallSnapshotResponse') snapshotAnswered(message);
        }
        wake();
      },
      onConnected: (peer) => {
        events.record({ type: 'peerConnected', peer });
        raft.peerConnected(peer);
        wake();
      },
      onStranger: (peer) => members.knocked(peer),
      onDisconnected: (peer, reason, broken) => {
        events.record({ type: 'peerDisconnected', peer, reason });
        if (broken && !isStopping()) raft.peerLost(peer);
        wake();
      },
    },
  });
}
