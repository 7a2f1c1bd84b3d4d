// What a console line can mean, and what help knows of each command. Types only.
import type { DiskFault, LinkEffect } from '../../engine/protocol/faults.ts';
import type { NodeId } from '../../engine/raft/types.ts';
import type { FolderFate } from './contract.ts';

/** A node by its number, or whoever leads when the command is carried out. */
export type NodeTarget = { kind: 'node'; nodeId: NodeId } | { kind: 'leader' };

/** What can be done to keys, alone or inside a transaction. */
export type KeyOperation =
  | {
      type: 'set';
      key: string;
      value: string;
      /** Null: the key has no end. */
      ttlMs: number | null;
      keepTtl: boolean;
      onlyIf: 'absent' | 'present' | null;
    }
  | { type: 'get'; key: string }
  | { type: 'delete'; keys: readonly string[] }
  | { type: 'bulkSet'; items: readonly { key: string; value: string }[] }
  /** `by` is a signed 64-bit integer in decimal. */
  | { type: 'incr'; key: string; by: string }
  /** `expected` null: the key must not exist. */
  | { type: 'cas'; key: string; expected: string | null; value: string }
  | { type: 'ttl' | 'persist'; key: string }
  | { type: 'expire'; key: string; ttlMs: number };

export type KeyCondition =
  | { key: string; relation: '=' | '!=' | '<' | '>'; value: string }
  /** 0: there is no such key. */
  | { key: string; relation: '=' | '!=' | '<' | '>'; revision: number }
  | { key: string; exists: boolean };

export type ConsoleCommand =
  | KeyOperation
  | {
      type: 'txn';
      compare: readonly KeyCondition[];
      success: readonly KeyOperation[];
      failure: readonly KeyOperation[];
    }
  /** All keys without either. `fromRevision` null: whatever comes from now on. */
  | { type: 'watch'; prefix: string | null; key: string | null; fromRevision: number | null }
  /** `watchId` null: all of them. */
  | { type: 'unwatch'; watchId: number | null }
  | { type: 'scan'; prefix: string; limit: number }
  | { type: 'status' }
  | { type: 'ping' }
  | { type: 'help'; topic: string | null }
  | { type: 'memberList' }
  /** `nodeId` null: the next that is free. */
  | { type: 'memberAdd'; nodeId: NodeId | null }
  | { type: 'memberPromote'; nodeId: NodeId }
  | { type: 'memberRemove'; target: NodeTarget; folder: FolderFate }
  | {
      type: 'kill' | 'pause' | 'resume' | 'restart' | 'stop' | 'campaign' | 'snapshot' | 'wipe';
      target: NodeTarget;
    }
  /** `target` null: all nodes at once. `seed` null: any. */
  | { type: 'powerCut'; target: NodeTarget | null; seed: number | null }
  /** `index` null: any entry. */
  | { type: 'corrupt'; target: NodeTarget; index: number | null }
  | { type: 'stepDown'; target: NodeTarget; successor: NodeId | null }
  /** Nodes of different groups cannot talk. One group alone is cut off from all the others. */
  | { type: 'partition'; groups: readonly (readonly NodeId[])[] }
  | { type: 'link'; from: NodeId; to: NodeId; direction: 'outbound' | 'both'; effect: LinkEffect }
  | { type: 'fault'; target: NodeTarget; fault: DiskFault }
  | { type: 'faultClear'; target: NodeTarget }
  | { type: 'heal' }
  | { type: 'load'; ratePerSecond: number; clients: number; valueBytes: number; writeRatio: number }
  | { type: 'loadStop' }
  | { type: 'reset' };

export interface ArgumentHelp {
  name: string;
  kind: 'text' | 'number' | 'node' | 'target' | 'targetOrAll' | 'choice';
  choices?: readonly string[];
  optional?: true;
  /** May be given again and again; only as the last argument. */
  repeated?: true;
}

export interface CommandHelp {
  name: string;
  aliases: readonly string[];
  group: 'keys' | 'cluster' | 'nodes' | 'faults';
  arguments: readonly ArgumentHelp[];
  summary: string;
  examples: readonly string[];
}
