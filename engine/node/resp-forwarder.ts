// Passes RESP commands of this node's clients on to the leader: one connection to its client port, all commands of
// a turn in one write, replies in the order of the commands, each passed on as it comes.
import { connect, type Socket } from 'node:net';
import type { ByteString } from '../protocol/command.ts';
import { bulks, type RespVersion } from '../protocol/resp-encode.ts';
import { RespReplyReader } from '../protocol/resp-reply-reader.ts';
import { splitAddress } from './node-config.ts';
import type { RespSession } from './resp-session.ts';

/** Commands that go one behind the other; the reply to the last one is the client's. */
export interface ForwardedCommands {
  session: RespSession;
  slot: number;
  commands: readonly (readonly ByteString[])[];
  isWrite: boolean;
  /** Makes the client's reply of the leader's. Null: it is passed on as it is. */
  onReply: ((reply: ByteString) => ByteString) | null;
}

interface Passed extends Omit<ForwardedCommands, 'commands'> {
  at: number;
  /** Replies that come before the one that counts. */
  skip: number;
}

export interface RespForwarderOptions {
  /** A connection to the leader authenticates with it. */
  password: string | null;
  replyBytesMax: number;
  outstandingMax: number;
  queueBytesMax: number;
  /** Milliseconds, monotonic. */
  now: () => number;
}

const TOO_MUCH = '-TRYAGAIN too many commands are being passed on to the leader; nothing was done\r\n';

export class RespForwarder {
  readonly #options: RespForwarderOptions;
  #leader = '';
  #socket: Socket | null = null;
  /** The version that the connection speaks at the end of what is queued. */
  #version: RespVersion = 2;
  #passed: Passed[] = [];
  #head = 0;
  /** Of this turn, not yet written. */
  #out = '';
  #flushScheduled = false;

  constructor(options: RespForwarderOptions) {
    this.#options = options;
  }

  forward(commands: ForwardedCommands, leader: string): void {
    const { session, slot, isWrite, onReply } = commands;
    const queuedBytes = (this.#socket?.writableLength ?? 0) + this.#out.length;
    if (
      this.#passed.length - this.#head >= this.#options.outstandingMax ||
      queuedBytes >= this.#options.queueBytesMax
    ) {
      session.reply(slot, onReply === null ? TOO_MUCH : onReply(TOO_MUCH));
      return;
    }
    if (leader !== this.#leader || this.#socket === null) this.#dial(leader);
    let skip = commands.commands.length - 1;
    if (session.version !== this.#version) {
      this.#version = session.version;
      this.#out += bulks(['hello', String(session.version)]);
      skip++;
    }
    for (const argv of commands.commands) this.#out += bulks(argv);
    this.#passed.push({ session, slot, isWrite, onReply, skip, at: this.#options.now() });
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => this.#flush());
  }

  /** Gives up what the leader has not answered since `before`, and the connection with it: its order is lost. */
  expire(before: number): void {
    const oldest = this.#passed[this.#head];
    if (oldest !== undefined && oldest.at < before) this.#hangUp('the leader did not answer in time');
  }

  close(): void {
    this.#hangUp('this node is stopping');
  }

  #flush(): void {
    this.#flushScheduled = false;
    const out = this.#out;
    this.#out = '';
    if (out !== '') this.#socket?.write(out, 'latin1');
  }

  #dial(leader: string): void {
    this.#hangUp('leadership changed');
    const { host, port } = splitAddress(leader);
    const socket = connect({ host, port, noDelay: true });
    const reader = new RespReplyReader(this.#options.replyBytesMax);
    this.#leader = leader;
    this.#socket = socket;
    this.#version = 2;
    const { password } = this.#options;
    // A node that lost leadership meanwhile refuses then, instead of passing the command on again.
    let greetings = 1;
    this.#out = bulks(['raft', 'forwarded']);
    if (password !== null) {
      this.#out = bulks(['auth', password]) + this.#out;
      greetings++;
    }
    socket.on('data', (chunk) => {
      if (this.#socket !== socket) return;
      reader.feed(chunk);
      for (let reply = reader.next(); reply !== null; reply = reader.next()) {
        if (greetings > 0) greetings--;
        else this.#relay(reply);
        if (this.#socket !== socket) return;
      }
      if (reader.broken) this.#hangUp('the leader sent a reply that cannot be read');
    });
    const onEnd = (reason: string) => (): void => {
      if (this.#socket === socket) this.#hangUp(reason);
    };
    socket.on('error', (error) => onEnd(error.message)());
    socket.on('close', onEnd('the connection to the leader broke'));
  }

  #relay(reply: ByteString): void {
    const passed = this.#passed[this.#head];
    if (passed === undefined) {
      this.#hangUp('the leader sent a reply that nobody asked for');
      return;
    }
    if (passed.skip > 0) {
      passed.skip--;
      return;
    }
    this.#head++;
    if (this.#head === this.#passed.length) {
      this.#passed = [];
      this.#head = 0;
    } else if (this.#head > 4096 && this.#head * 2 > this.#passed.length) {
      this.#passed.splice(0, this.#head);
      this.#head = 0;
    }
    passed.session.reply(passed.slot, passed.onReply === null ? reply : passed.onReply(reply));
  }

  /** What was passed on and not answered may have been done. */
  #hangUp(reason: string): void {
    const passed = this.#passed.slice(this.#head);
    this.#passed = [];
    this.#head = 0;
    this.#out = '';
    this.#socket?.destroy();
    this.#socket = null;
    const unknown = `-TIMEOUT ${reason}; the command may have been carried out\r\n`;
    const nothing = `-TRYAGAIN ${reason}\r\n`;
    for (const { session, slot, isWrite, onReply } of passed) {
      const reply = isWrite ? unknown : nothing;
      session.reply(slot, onReply === null ? reply : onReply(reply));
    }
  }
}
