// All commands with what they do, found by the bytes of their name in any case, without making a string of them.
import { RESP_COMMANDS, type RespCommandSpec } from '../protocol/resp-command-table.ts';
import type { RespArgs } from '../protocol/resp-parser.ts';
import { type BoundCommand, type CommandBody, routesOf } from './resp-command.ts';
import { COMMAND_COMMAND } from './resp-command-command.ts';
import { CONNECTION_COMMANDS } from './resp-connection-commands.ts';
import type { ReadServe } from './resp-desk.ts';
import { KEY_COMMANDS } from './resp-key-commands.ts';
import { RAFT_COMMAND } from './resp-raft-command.ts';
import { SERVER_COMMANDS } from './resp-server-commands.ts';
import { STRING_COMMANDS } from './resp-string-commands.ts';
import { TRANSACTION_COMMANDS } from './resp-transaction.ts';

const BODIES: Readonly<Record<string, CommandBody>> = {
  ...STRING_COMMANDS,
  ...KEY_COMMANDS,
  ...TRANSACTION_COMMANDS,
  ...CONNECTION_COMMANDS,
  ...SERVER_COMMANDS,
  ...COMMAND_COMMAND,
  ...RAFT_COMMAND,
};

interface Slot {
  name: Uint8Array;
  command: BoundCommand;
}

/** A power of two well above the number of commands. */
const SLOTS = 1024;
const UPPER_TO_LOWER = 0x20;

function bind(spec: RespCommandSpec): BoundCommand {
  const body = BODIES[spec.name];
  if (body === undefined) throw new Error(`nothing does ${spec.name}`);
  const isMeasured = !spec.flags.includes('fast') && spec.name !== 'slowlog';
  const facts = {
    ...{ spec, body, isMeasured },
    isSet: spec.name === 'set',
    changesReplies: spec.name === 'hello' || spec.name === 'reset',
    needsNoAuth: spec.flags.includes('no_auth'),
  };
  if (body.kind === 'local') {
    return { ...facts, serve: () => unreachable(spec), reply: () => unreachable(spec) };
  }
  const { serve, reply } = routesOf(body);
  return { ...facts, serve: isMeasured ? measured(serve) : serve, reply };
}

function measured(serve: ReadServe): ReadServe {
  return (keyspace, session, argv) => {
    const startedAt = performance.now();
    const reply = serve(keyspace, session, argv);
    session.took(performance.now() - startedAt, argv);
    return reply;
  };
}

function unreachable(spec: RespCommandSpec): never {
  throw new Error(`${spec.name} has nothing to do with keys`);
}

export class CommandIndex {
  readonly #slots: (Slot[] | undefined)[] = new Array(SLOTS);

  constructor() {
    for (const spec of RESP_COMMANDS.values()) {
      const name = Uint8Array.from(spec.name, (character) => character.charCodeAt(0));
      const at = hash(name, 0, name.length);
      const slot = this.#slots[at] ?? [];
      slot.push({ name, command: bind(spec) });
      this.#slots[at] = slot;
    }
  }

  find(args: RespArgs): BoundCommand | null {
    const start = args.start(0);
    const end = args.end(0);
    const slot = this.#slots[hash(args.source, start, end)];
    if (slot === undefined) return null;
    for (const { name, command } of slot) {
      if (name.length === end - start && matches(name, args.source, start)) return command;
    }
    return null;
  }
}

/** Of the bytes in lower case. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++)
    value = (Math.imul(value, 31) + ((bytes[at] as number) | UPPER_TO_LOWER)) | 0;
  return (value ^ (value >>> 10)) & (SLOTS - 1);
}

function matches(name: Uint8Array, source: Uint8Array, start: number): boolean {
  for (let at = 0; at < name.length; at++) {
    const byte = source[start + at] as number;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | UPPER_TO_LOWER : byte;
    if (lower !== name[at]) return false;
  }
  return true;
}
