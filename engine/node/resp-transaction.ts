// MULTI, EXEC, DISCARD, WATCH: what is queued becomes one entry, held against the revisions of the watched keys.
import type { Keyspace } from '../kv/keyspace.ts';
import type {
  ByteString,
  CommandResult,
  Guard,
  Operation,
  OperationResult,
  ReadOperation,
} from '../protocol/command.ts';
import { encodeProposal, PROPOSAL_BYTES_MAX, proposalBytes } from '../protocol/command-codec.ts';
import { array, error, nullArray, OK } from '../protocol/resp-encode.ts';
import { elementsOf } from '../protocol/resp-reply-reader.ts';
import {
  type BoundCommand,
  type CommandBody,
  DISK_FULL,
  type LocalCommand,
  replyOf,
} from './resp-command.ts';
import type { RespSession } from './resp-session.ts';

interface Queued {
  bound: BoundCommand;
  argv: readonly ByteString[];
}

const EXEC_ABORT = error('EXECABORT Transaction discarded because of previous errors.');

export class RespTransaction {
  readonly queued: Queued[] = [];
  /** Of the requests that are queued. */
  bytes = 0;
  /** A command was refused: EXEC will be too. */
  spoiled = false;

  add(bound: BoundCommand, argv: readonly ByteString[]): void {
    this.queued.push({ bound, argv });
  }
}

/** One command of an EXEC: something to do on the keys, or what answers by itself. */
type Step = { operation: Operation; at: number } | { refusal: ByteString } | { local: LocalCommand };

function stepsOf(
  queued: readonly Queued[],
  session: RespSession,
): { steps: Step[]; operations: Operation[] } {
  const operations: Operation[] = [];
  const steps = queued.map(({ bound, argv }): Step => {
    if (bound.body.kind === 'local') return { local: bound.body };
    const operation = session.sizeRefusal(bound, argv) ?? bound.body.operation(argv, session);
    if (typeof operation === 'string') return { refusal: operation };
    operations.push(operation);
    return { operation, at: operations.length - 1 };
  });
  return { steps, operations };
}

function guardsOf(watched: ReadonlyMap<ByteString, number> | null): Guard[] {
  if (watched === null) return [];
  return [...watched].map(([key, revision]) => ({ type: 'revision', key, relation: '=', revision }));
}

function repliesOf(
  queued: readonly Queued[],
  steps: readonly Step[],
  results: readonly OperationResult[],
  session: RespSession,
): ByteString {
  return array(
    steps.map((step, position) => {
      const { bound, argv } = queued[position] as Queued;
      if ('refusal' in step) return step.refusal;
      if ('local' in step) return runNow(step.local, argv, session);
      const body = bound.body as Exclude<CommandBody, LocalCommand>;
      return replyOf(body, results[step.at] as OperationResult, argv, session);
    }),
  );
}

/** Within EXEC nothing waits. */
function runNow(body: LocalCommand, argv: readonly ByteString[], session: RespSession): ByteString {
  session.isExecuting = true;
  const reply = body.run(argv, session);
  session.isExecuting = false;
  return reply ?? OK;
}

const READS: ReadonlySet<string> = new Set<ReadOperation['type']>([
  'get',
  'getMany',
  'getRange',
  'strlen',
  'exists',
  'expiryOf',
  'count',
  'keys',
  'randomKey',
]);

function areReads(operations: readonly Operation[]): operations is ReadOperation[] {
  return operations.every(({ type }) => READS.has(type));
}

function exec(session: RespSession): ByteString | null {
  const { transaction, watched, node } = session;
  if (transaction === null) return error('ERR EXEC without MULTI');
  session.transaction = null;
  session.watched = null;
  if (transaction.spoiled) return EXEC_ABORT;
  const { queued } = transaction;
  if (!node.leads) {
    forward(session, queued, watched);
    return null;
  }
  const { steps, operations } = stepsOf(queued, session);
  if (areReads(operations)) {
    readTogether(session, { queued, steps, operations, watched });
    return null;
  }
  if (node.isDiskFull()) return DISK_FULL;
  const command = {
    ...{ type: 'txn' as const, onFailure: 'continue' as const },
    ...{ compare: guardsOf(watched), success: operations, failure: [] },
  };
  if (proposalBytes({ command, session: null }) > PROPOSAL_BYTES_MAX) {
    return error(`ERR the transaction is over the limit of ${PROPOSAL_BYTES_MAX} bytes`);
  }
  const reply = (result: CommandResult): ByteString => {
    session.lastWriteIndex = result.index;
    if (result.type === 'failed') return error(`ERR ${result.message}`);
    if (result.type !== 'txn' || !result.succeeded) return nullArray(session.version);
    return repliesOf(queued, steps, result.results, session);
  };
  node.desk.write(session, encodeProposal({ command, session: null }, node.turnTime()), reply, null);
  return null;
}

/** Nothing is written: a read of one moment. */
function readTogether(
  session: RespSession,
  parts: {
    queued: readonly Queued[];
    steps: readonly Step[];
    operations: readonly ReadOperation[];
    watched: ReadonlyMap<ByteString, number> | null;
  },
): void {
  const serve = (keyspace: Keyspace): ByteString => {
    for (const [key, revision] of parts.watched ?? []) {
      if ((keyspace.get(key)?.revision ?? 0) !== revision) return nullArray(session.version);
    }
    const results = parts.operations.map((operation) => keyspace.read(operation));
    return repliesOf(parts.queued, parts.steps, results, session);
  };
  session.node.desk.read(session, serve, [], 0);
}

/**
 * The leader gets the whole transaction in one piece. What this node answers by itself stays here: its replies are
 * put between those of the leader.
 */
function forward(
  session: RespSession,
  queued: readonly Queued[],
  watched: ReadonlyMap<ByteString, number> | null,
): void {
  const commands: (readonly ByteString[])[] = [];
  if (watched !== null) {
    const revisions = [...watched].flatMap(([key, revision]) => [key, String(revision)]);
    commands.push(['raft', 'guard', ...revisions]);
  }
  const onKeys = queued.filter(({ bound }) => bound.body.kind !== 'local');
  commands.push(['multi'], ...onKeys.map(({ argv }) => argv), ['exec']);
  const merge = (reply: ByteString): ByteString => {
    const elements = elementsOf(reply);
    if (elements === null || elements.length !== onKeys.length) return reply;
    let at = 0;
    return array(
      queued.map(({ bound, argv }) =>
        bound.body.kind === 'local' ? runNow(bound.body, argv, session) : (elements[at++] as ByteString),
      ),
    );
  };
  const onReply = onKeys.length === queued.length ? null : merge;
  session.node.forward({ session, slot: session.reserve(0), commands, isWrite: true, onReply });
}

/** The connection reads nothing further until the revisions are known: an EXEC may be behind it. */
function watch(argv: readonly ByteString[], session: RespSession): null {
  const { node } = session;
  const keys = argv.slice(1);
  const known = (revisions: readonly number[]): ByteString => {
    session.watched ??= new Map();
    for (const [at, key] of keys.entries()) {
      // A key that is watched already keeps the older revision: what happened since then counts.
      if (!session.watched.has(key)) session.watched.set(key, revisions[at] ?? 0);
    }
    return OK;
  };
  if (node.leads) {
    const serve = (keyspace: Keyspace): ByteString =>
      known(keys.map((key) => keyspace.get(key)?.revision ?? 0));
    session.pauseUntilReplied(node.desk.read(session, serve, argv, 0));
    return null;
  }
  const slot = session.reserve(0);
  session.pauseUntilReplied(slot);
  const onReply = (reply: ByteString): ByteString => {
    const revisions = elementsOf(reply);
    return revisions === null
      ? reply
      : known(revisions.map((revision) => Number.parseInt(revision.slice(1), 10)));
  };
  node.forward({ session, slot, commands: [['raft', 'revisions', ...keys]], isWrite: false, onReply });
  return null;
}

export const TRANSACTION_COMMANDS: Readonly<Record<string, LocalCommand>> = {
  multi: {
    kind: 'local',
    runsInMulti: true,
    run(_argv, session) {
      if (session.transaction !== null) return error('ERR MULTI calls can not be nested');
      session.transaction = new RespTransaction();
      return OK;
    },
  },
  exec: { kind: 'local', runsInMulti: true, run: (_argv, session) => exec(session) },
  discard: {
    kind: 'local',
    runsInMulti: true,
    run(_argv, session) {
      if (session.transaction === null) return error('ERR DISCARD without MULTI');
      session.transaction = null;
      session.watched = null;
      return OK;
    },
  },
  watch: {
    kind: 'local',
    runsInMulti: true,
    run: (argv, session) =>
      session.transaction === null ? watch(argv, session) : error('ERR WATCH inside MULTI is not allowed'),
  },
  unwatch: {
    kind: 'local',
    run(_argv, session) {
      session.watched = null;
      return OK;
    },
  },
};
