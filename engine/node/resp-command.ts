// What a RESP command is to the session that runs it: an operation on the keys with its reply, or something that
// the node answers by itself.
import type {
  ByteString,
  FailedResult,
  FailureReason,
  Operation,
  OperationResult,
  ReadOperation,
} from '../protocol/command.ts';
import type { RespCommandSpec } from '../protocol/resp-command-table.ts';
import { error, nullArray } from '../protocol/resp-encode.ts';
import type { ReadServe, WriteReply } from './resp-desk.ts';
import type { RespSession } from './resp-session.ts';

/** An error reply, encoded. */
export type Refusal = ByteString;

export interface DataCommand<Wanted extends Operation = Operation> {
  /** `argv` begins with the command's name; its length fits the arity. */
  operation(argv: readonly ByteString[], session: RespSession): Wanted | Refusal;
  /** The operation did not fail. */
  reply(result: OperationResult, argv: readonly ByteString[], session: RespSession): ByteString;
}

export interface ReadCommand extends DataCommand<ReadOperation> {
  kind: 'read';
  /** Outside of a transaction, for replies that one operation does not give. */
  serve?: ReadServe;
}

export interface WriteCommand extends DataCommand {
  kind: 'write';
}

export interface LocalCommand {
  kind: 'local';
  /** The reply; null when the session gives it later. */
  run(argv: readonly ByteString[], session: RespSession): ByteString | null;
  /** MULTI does not queue it. */
  runsInMulti?: boolean;
}

export type CommandBody = ReadCommand | WriteCommand | LocalCommand;

/** A command of the table with what does it; one per command, for all connections. */
export interface BoundCommand {
  readonly spec: RespCommandSpec;
  readonly body: CommandBody;
  /** May run before AUTH. */
  readonly needsNoAuth: boolean;
  /** Its time may be long: it is measured for SLOWLOG. */
  readonly isMeasured: boolean;
  /** Replies after it may be written in another version of the protocol. */
  readonly changesReplies: boolean;
  /** SET, which has a quicker way. */
  readonly isSet: boolean;
  /** Of commands on keys. */
  readonly serve: ReadServe;
  readonly reply: WriteReply;
}

export const DISK_FULL =
  '-MISCONF the disk of the leader is full, and leadership is being handed away; nothing was done\r\n';
export const SYNTAX_ERROR = error('ERR syntax error');
export const NOT_INTEGER = error('ERR value is not an integer or out of range');
export const NOT_FLOAT = error('ERR value is not a valid float');
const TOO_LONG = error('ERR string exceeds maximum allowed size (proto-max-bulk-len)');

const FAILURES: Record<FailureReason, ByteString> = {
  notInteger: NOT_INTEGER,
  incrementNotInteger: NOT_INTEGER,
  overflow: error('ERR increment or decrement would overflow'),
  notFloat: NOT_FLOAT,
  incrementNotFloat: NOT_FLOAT,
  notFinite: error('ERR increment would produce NaN or Infinity'),
  tooLong: TOO_LONG,
  noSuchKey: error('ERR no such key'),
};

export function failureReply(result: FailedResult): ByteString {
  return result.reason === undefined ? error(`ERR ${result.message}`) : FAILURES[result.reason];
}

/** The reply to an operation's result, whether or not it failed. */
export function replyOf(
  body: DataCommand,
  result: OperationResult,
  argv: readonly ByteString[],
  session: RespSession,
): ByteString {
  return result.type === 'failed' ? failureReply(result) : body.reply(result, argv, session);
}

/** A reply was asked of a result of another command: a programmer error. */
export function unexpected(result: OperationResult): never {
  throw new TypeError(`unexpected result ${result.type}`);
}

/** The two ways of a data command's result, bound once per command. */
export function routesOf(body: ReadCommand | WriteCommand): { serve: ReadServe; reply: WriteReply } {
  return {
    serve:
      (body.kind === 'read' ? body.serve : undefined) ??
      ((keyspace, session, argv) => {
        const operation = body.operation(argv, session);
        if (typeof operation === 'string') return operation;
        return replyOf(body, keyspace.read(operation as ReadOperation), argv, session);
      }),
    reply(result, session, argv) {
      session.lastWriteIndex = result.index;
      return result.type === 'txn' ? nullArray(session.version) : replyOf(body, result, argv ?? [], session);
    },
  };
}
