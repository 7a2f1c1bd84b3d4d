// One RESP connection: its settings, its transaction, and the way of each of its commands, to this node's desk, to
// the leader, or answered on the spot.
import type { ByteString } from '../protocol/command.ts';
import { encodeProposal, PROPOSAL_BYTES_MAX, proposalBytes } from '../protocol/command-codec.ts';
import { arityError, arityFits, keyPositions, subcommandError } from '../protocol/resp-command-table.ts';
import { error, QUEUED, type RespVersion } from '../protocol/resp-encode.ts';
import type { RespArgs } from '../protocol/resp-parser.ts';
import { encodeSet } from '../protocol/resp-set-entry.ts';
import type { ClientConnection } from '../transport/client-connection.ts';
import type { RespHandler, RespSink } from '../transport/resp-handler.ts';
import {
  type BoundCommand,
  DISK_FULL,
  type LocalCommand,
  type ReadCommand,
  type WriteCommand,
} from './resp-command.ts';
import type { RespNode } from './resp-node.ts';
import type { RespTransaction } from './resp-transaction.ts';

/** Subcommands of RAFT that are not for people. */
const BETWEEN_NODES: ReadonlySet<string> = new Set(['forwarded', 'guard', 'revisions']);
const NO_AUTH = '-NOAUTH Authentication required.\r\n';

export class RespSession implements RespSink {
  readonly node: RespNode;
  readonly connection: ClientConnection;
  readonly handler: RespHandler;
  readonly connectedAt = Date.now();
  version: RespVersion = 2;
  name: ByteString = '';
  libraryName: ByteString = '';
  libraryVersion: ByteString = '';
  /** READONLY: a follower answers reads itself. */
  readsLocally = false;
  authenticated: boolean;
  /** Commands come from another node, which must not get them back. */
  isForwarded = false;
  replies: 'on' | 'off' | 'skipNext' | 'skip' = 'on';
  transaction: RespTransaction | null = null;
  /** Keys and the revisions that they had. Null: nothing is watched. */
  watched: Map<ByteString, number> | null = null;
  lastCommand = '';
  lastCommandAt = Date.now();
  /** Waiting at the desk. */
  writesWaiting = 0;
  readsWaiting = 0;
  /** Index of its last write that was applied, for WAIT. */
  lastWriteIndex = 0;
  /** The replies of an EXEC are being made: nothing may wait. */
  isExecuting = false;
  #pausedUntil: number | null = null;
  /** Commands without a reply. */
  #unanswered = 0;
  /** It changes how replies are written, and waits until the earlier ones have been. */
  #deferred: { bound: BoundCommand; argv: readonly ByteString[] } | null = null;
  /** Slots below zero are of replies that the client does not want. */
  #lastUnwanted = 0;

  constructor(node: RespNode, connection: ClientConnection, handler: RespHandler) {
    this.node = node;
    this.connection = connection;
    this.handler = handler;
    this.authenticated = node.password === null;
    handler.restrict(!this.authenticated);
  }

  get closed(): boolean {
    return this.connection.closed;
  }

  /** The place of the next reply. */
  reserve(requestBytes: number): number {
    this.#unanswered++;
    if (this.replies === 'on') return this.connection.reserve(requestBytes);
    if (this.replies === 'skipNext') this.replies = 'on';
    return --this.#lastUnwanted;
  }

  reply(slot: number, reply: ByteString): void {
    this.#unanswered--;
    if (slot >= 0) this.connection.reply(slot, reply);
    if (slot === this.#pausedUntil) {
      this.#pausedUntil = null;
      // Never within the reply itself: what follows would run in the middle of a turn's replies.
      process.nextTick(() => this.handler.resume());
    }
    if (this.#deferred !== null && this.#unanswered === 0) process.nextTick(() => this.#runDeferred());
  }

  #runDeferred(): void {
    const deferred = this.#deferred;
    this.#deferred = null;
    if (deferred === null || this.closed) return;
    this.#runLocal(deferred.bound, deferred.bound.body as LocalCommand, deferred.argv);
    this.handler.resume();
  }

  /** Runs no further command before the reply in the slot has been given. */
  pauseUntilReplied(slot: number): void {
    this.#pausedUntil = slot;
    this.handler.pause();
  }

  command(args: RespArgs): void {
    if (this.replies === 'skip') this.replies = 'skipNext';
    const bound = this.node.commands.find(args);
    if (bound === null) {
      this.#reject(unknownCommand(argvOf(args)));
      return;
    }
    this.lastCommand = bound.spec.name;
    this.node.commandsTotal++;
    const misuse = this.#misuseOf(bound, args);
    if (misuse !== null) {
      this.#reject(error(misuse));
      return;
    }
    if (!this.authenticated && !bound.needsNoAuth) {
      this.#reject(NO_AUTH);
      return;
    }
    if (this.transaction !== null && !(bound.body.kind === 'local' && bound.body.runsInMulti === true)) {
      this.answer(this.#queue(this.transaction, bound, args));
      return;
    }
    if (bound.changesReplies && this.#unanswered > 0) {
      this.#deferred = { bound, argv: argvOf(args) };
      this.handler.pause();
      return;
    }
    if (bound.body.kind === 'local') this.#runLocal(bound, bound.body, argvOf(args));
    else this.#runData(bound, args);
  }

  #misuseOf({ spec }: BoundCommand, args: RespArgs): string | null {
    if (!arityFits(spec, args.argc)) return arityError(spec);
    if (spec.subcommands.length === 0 || args.argc === 1) return null;
    const given = args.text(1);
    return BETWEEN_NODES.has(given) && spec.name === 'raft' ? null : subcommandError(spec, given, args.argc);
  }

  batchEnded(): void {
    this.lastCommandAt = this.node.now();
  }

  refused(): void {
    this.node.counters.errorsTotal++;
  }

  /** A reply in its place. */
  answer(reply: ByteString): void {
    const slot = this.reserve(0);
    if (reply.charCodeAt(0) === 0x2d) this.node.counters.errorsTotal++;
    this.reply(slot, reply);
  }

  /** Everything asked so far is answered, nothing more is read. */
  end(): void {
    this.handler.pause();
    this.connection.endInput();
  }

  /** As a connection that has just been opened, but for what it waits for. */
  reset(): void {
    this.transaction = null;
    this.watched = null;
    this.version = 2;
    this.name = '';
    this.readsLocally = false;
    this.replies = 'on';
    this.authenticated = this.node.password === null;
    this.handler.restrict(!this.authenticated);
  }

  /** The client has named the password, or none is needed. */
  authenticate(): void {
    this.authenticated = true;
    this.handler.restrict(false);
  }

  /** A command kept the node busy for so long; SLOWLOG tells of it when that was long. */
  took(milliseconds: number, argv: readonly ByteString[]): void {
    const { slowerThanUs, slowLogLengthMax } = this.node.settings;
    if (slowerThanUs < 0 || milliseconds * 1000 < slowerThanUs) return;
    const address = this.connection.remoteAddress;
    const lengthMax = slowLogLengthMax;
    this.node.slowLog.add(argv, { tookUs: milliseconds * 1000, address, name: this.name, lengthMax });
  }

  /** An error that also spoils the transaction. */
  #reject(reply: ByteString): void {
    if (this.transaction !== null) this.transaction.spoiled = true;
    this.answer(reply);
  }

  #queue(transaction: RespTransaction, bound: BoundCommand, args: RespArgs): ByteString {
    if (transaction.bytes + args.requestBytes > this.node.limits.lineBytesMax) {
      transaction.spoiled = true;
      return error(
        `ERR the transaction is over the limit of ${this.node.limits.lineBytesMax} bytes (setting lineBytesMax)`,
      );
    }
    transaction.bytes += args.requestBytes;
    transaction.add(bound, argvOf(args));
    return QUEUED;
  }

  #runLocal(bound: BoundCommand, body: LocalCommand, argv: readonly ByteString[]): void {
    const startedAt = bound.isMeasured ? performance.now() : 0;
    const reply = body.run(argv, this);
    if (bound.isMeasured) this.took(performance.now() - startedAt, argv);
    if (reply !== null) this.answer(reply);
  }

  #runData(bound: BoundCommand, args: RespArgs): void {
    const { node } = this;
    const body = bound.body as ReadCommand | WriteCommand;
    if (!node.leads) {
      if (body.kind === 'read' && this.readsLocally && !this.isForwarded) {
        this.answer(bound.serve(node.keyspace, this, argvOf(args)));
      } else {
        this.forward(argvOf(args), body.kind === 'write', args.requestBytes);
      }
      return;
    }
    if (body.kind === 'read') {
      node.desk.read(this, bound.serve, argvOf(args, bound.spec.name), args.requestBytes);
    } else if (bound.isSet && args.argc === 3 && this.#isSmall(args)) {
      // Most of what is ever written. [encodeSet]
      if (node.isDiskFull()) this.answer(DISK_FULL);
      else node.desk.write(this, encodeSet(args, node.turnTime()), bound.reply, null);
    } else {
      this.#write(bound, body, argvOf(args));
    }
  }

  /** The key and the value of a SET are within their limits. */
  #isSmall(args: RespArgs): boolean {
    const { keyBytesMax, valueBytesMax } = this.node.limits;
    return args.end(1) - args.start(1) <= keyBytesMax && args.end(2) - args.start(2) <= valueBytesMax;
  }

  #write(bound: BoundCommand, body: WriteCommand, argv: readonly ByteString[]): void {
    const { node } = this;
    const refusal = this.sizeRefusal(bound, argv) ?? (node.isDiskFull() ? DISK_FULL : null);
    const command = refusal ?? body.operation(argv, this);
    if (typeof command === 'string') {
      this.answer(command);
      return;
    }
    const proposal = { command, session: null };
    if (proposalBytes(proposal) > PROPOSAL_BYTES_MAX) {
      this.answer(error(`ERR the command is over the limit of ${PROPOSAL_BYTES_MAX} bytes`));
      return;
    }
    node.desk.write(this, encodeProposal(proposal, node.turnTime()), bound.reply, argv);
  }

  /** Keys and values have their limits; null when all are kept. */
  sizeRefusal({ spec }: BoundCommand, argv: readonly ByteString[]): ByteString | null {
    const { keyBytesMax, valueBytesMax } = this.node.limits;
    const keys = keyPositions(spec, argv.length);
    for (let at = 1; at < argv.length; at++) {
      const { length } = argv[at] as string;
      if (length <= keyBytesMax) continue;
      const isKey = keys.includes(at);
      if (!isKey && length <= valueBytesMax) continue;
      const [what, max, setting] = isKey
        ? ['key', keyBytesMax, 'keyBytesMax']
        : ['value', valueBytesMax, 'valueBytesMax'];
      return error(`ERR a ${what} of ${length} bytes is over the limit of ${max} bytes (setting ${setting})`);
    }
    return null;
  }

  /** To the leader, whose reply comes back in this place. */
  forward(argv: readonly ByteString[], isWrite: boolean, requestBytes: number): void {
    const slot = this.reserve(requestBytes);
    this.node.forward({ session: this, slot, commands: [argv], isWrite, onReply: null });
  }
}

/** Copies of the arguments; `name` spares that of the first one where its case does not matter. */
function argvOf(args: RespArgs, name: string = args.text(0)): ByteString[] {
  const argv = new Array<ByteString>(args.argc);
  argv[0] = name;
  for (let at = 1; at < args.argc; at++) argv[at] = args.text(at);
  return argv;
}

/** C strings end at a NUL, and so do the words that Redis quotes. */
function quoted(text: ByteString, bytesMax: number): string {
  const end = text.indexOf('\0');
  return (end === -1 ? text : text.slice(0, end)).slice(0, bytesMax);
}

function unknownCommand(argv: readonly ByteString[]): ByteString {
  let words = '';
  for (let at = 1; at < argv.length && words.length < 128; at++) {
    words += `'${quoted(argv[at] as string, 128 - words.length)}' `;
  }
  return error(`ERR unknown command '${quoted(argv[0] as string, 128)}', with args beginning with: ${words}`);
}
