// Assertions for programmer errors. They stay on in production: a Raft that is wrong must stop, not guess.

export class RaftAssertionError extends Error {
  override readonly name = 'RaftAssertionError';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RaftAssertionError(message);
}
