// What a node is started with: parsed from JSON, completed with defaults, refused with the field's name.
import { isIP } from 'node:net';
import { z } from 'zod';

const port = z.number().int().min(0).max(65_535);
const nodeId = z.number().int().min(1).max(65_535);
/** `host:port`; an IPv6 host stands in brackets. */
const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'must be host:port')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'has a port above 65535');
const count = (min: number, max: number) => z.number().int().min(min).max(max);
const MIB = 1024 * 1024;

const memberSchema = z.strictObject({ id: nodeId, peer: address, client: address });

/** Sizes in bytes. Every error about one of them names its setting. */
export const limitsSchema = z.strictObject({
  keyBytesMax: count(1, MIB).default(64 * 1024),
  valueBytesMax: count(1, 32 * MIB).default(8 * MIB),
  bulkItemsMax: count(1, 1_000_000).default(10_000),
  lineBytesMax: count(1024, 48 * MIB).default(16 * MIB),
  connectionsMax: count(1, 1_000_000).default(10_000),
  /** Replies that a client has not taken; a slower reader is cut off. */
  replyBytesMax: count(64 * 1024, 1024 * MIB).default(64 * MIB),
  /** Changes kept for those who watch keys; older ones are COMPACTED. */
  watchHistoryBytesMax: count(64 * 1024, 4096 * MIB).default(16 * MIB),
  watchesPerConnectionMax: count(1, 100_000).default(256),
  uncommittedBytesMax: count(MIB, 4096 * MIB).default(256 * MIB),
});

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

export const nodeConfigSchema = z
  .strictObject({
    clusterId: z.string().min(1).max(64),
    nodeId,
    /** Holds this node's log and nothing else; made when missing. */
    dataDir: z.string().min(1),
    /**
     * Set by whoever knows that this node took part in the cluster before: a folder with nothing in it is then a
     * loss of memory, and the node has no vote before it has caught up. [E14]
     */
    wasMember: z.boolean().default(false),
    client: z.strictObject({ host: z.string().default('127.0.0.1'), port }),
    peer: z.strictObject({ host: z.string().default('127.0.0.1'), port }),
    /**
     * Where the members are, this node included. In a new cluster, the same list on every node: its first members.
     * For a node that joins: itself, and the members it can find now. Once the log holds a configuration, that one
     * says who the members are, and this list only where those are that it names. [M1] [M10]
     */
    peers: z.array(memberSchema).min(1).max(15),
    /**
     * This node is added to a cluster that is there: with an empty folder it has no vote and waits to be told by
     * `member_add` on the leader. May stay set for good: what its log says wins. [M9]
     */
    join: z.boolean().default(false),
    /** Half open, milliseconds: Raft paper §9.3. */
    electionTimeoutMs: z.tuple([count(20, 60_000), count(21, 120_000)]).default([150, 300]),
    heartbeatIntervalMs: count(5, 10_000).default(50),
    /**
     * Linearizable reads without a round while the leader's lease holds, for clocks that keep pace to a fifth. The same
     * on all nodes: a majority must have it. A leader that dies is then missed for an election timeout. [R5] [R6]
     */
    leaseReads: z.boolean().default(false),
    /** A write or read that is not done by then is answered with TIMEOUT. */
    requestTimeoutMs: count(50, 600_000).default(5000),
    /** How often a status goes to the parent process; 0 for never. */
    statusIntervalMs: count(0, 60_000).default(100),
    /** A segment of the log; a batch that is larger gets one of its own size. */
    logSegmentBytes: count(64 * 1024, 1024 * MIB).default(16 * MIB),
    /** A snapshot is taken when the log has grown by so many bytes since the last one; 0: only on demand. */
    snapshotLogBytes: count(0, 1024 * 1024 * MIB).default(64 * MIB),
    /** Entries kept behind a snapshot for followers that are a little behind. */
    snapshotTrailingEntries: count(0, 100_000_000).default(10_000),
    /** Clients must name it before anything else. The same on every node. */
    password: z.string().min(1).max(512).optional(),
    /** What peers prove to each other that they know. The same on every node. */
    peerSecret: z.string().min(16).max(512).optional(),
    limits: limitsSchema.prefault({}),
  })
  .refine((config) => config.peers.some((member) => member.id === config.nodeId), {
    path: ['peers'],
    message: 'must name this node too',
  })
  .refine((config) => new Set(config.peers.map((member) => member.id)).size === config.peers.length, {
    path: ['peers'],
    message: 'name a node twice',
  })
  .refine((config) => config.electionTimeoutMs[0] < config.electionTimeoutMs[1], {
    path: ['electionTimeoutMs'],
    message: 'must be [min, max) with min below max',
  })
  .refine((config) => config.heartbeatIntervalMs * 2 <= config.electionTimeoutMs[0], {
    path: ['heartbeatIntervalMs'],
    message: 'must be at most half of the smallest election timeout',
  })
  .refine((config) => isLoopback(config.client.host) || config.password !== undefined, {
    path: ['client', 'host'],
    message: `reaches beyond this machine, where clients need a password: set "password" in the configuration or QUORUMLAB_PASSWORD in the environment, the same on every node; or listen on 127.0.0.1 and connect machines by tunnels (ssh -L)`,
  })
  .refine((config) => isLoopback(config.peer.host) || config.peerSecret !== undefined, {
    path: ['peer', 'host'],
    message: `reaches beyond this machine, where nodes need a secret that they share: set "peerSecret" in the configuration or QUORUMLAB_PEER_SECRET in the environment, at least 16 characters, the same on every node; or listen on 127.0.0.1 and connect machines by tunnels (ssh -L)`,
  });

export type NodeConfig = z.output<typeof nodeConfigSchema>;
/** As written by people and parents: what has a default may be left out. */
export type NodeConfigInput = z.input<typeof nodeConfigSchema>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Throws a ConfigError that names every wrong field. */
export function parseNodeConfig(input: unknown): NodeConfig {
  const parsed = nodeConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`);
  throw new ConfigError(`unusable configuration: ${faults.join('; ')}`);
}

/** `host:port` in its parts; an IPv6 host comes without its brackets. */
export function splitAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

/** Null for anything else. Other members of the object are ignored. */
export function parseMemberAddress(value: unknown): z.output<typeof memberSchema> | null {
  const { id, peer, client } = (value ?? {}) as Record<string, unknown>;
  return memberSchema.safeParse({ id, peer, client }).data ?? null;
}
