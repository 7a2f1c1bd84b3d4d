// Who may use the client port: with a password set, only connections that have named it. RESP sessions ask the
// same question in their own words.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ParsedRequest, RequestId } from '../protocol/json-line.ts';
import { authReply, errorReply } from '../protocol/json-reply.ts';

interface Connection {
  reply(slot: number, line: string): void;
}

/** In a time that says nothing about where two texts differ. */
export function samePassword(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

export class ClientAuth {
  readonly #password: string | null;
  readonly #admitted = new WeakSet<Connection>();

  /** `password` null: everybody may. */
  constructor(password: string | null) {
    this.#password = password;
  }

  /** True when the request may go on; otherwise it has been answered. */
  admits<Kind extends Exclude<ParsedRequest, { type: 'refused' }>>(
    request: Kind,
    to: { id: RequestId; slot: number; connection: Connection },
  ): request is Exclude<Kind, { type: 'auth' }> {
    const { id, slot, connection } = to;
    if (request.type === 'auth') {
      connection.reply(slot, this.#answer(id, request.password, connection));
      return false;
    }
    if (this.#password === null || this.#admitted.has(connection)) return true;
    const message = 'this node asks for a password: send {"command":"auth","password":…} first';
    connection.reply(slot, errorReply(id, 'UNAUTHENTICATED', message));
    return false;
  }

  #answer(id: RequestId, given: string, connection: Connection): string {
    if (this.#password === null) return authReply(id);
    if (!samePassword(given, this.#password)) {
      this.#admitted.delete(connection);
      return errorReply(id, 'UNAUTHENTICATED', 'this is not the password');
    }
    this.#admitted.add(connection);
    return authReply(id);
  }
}
