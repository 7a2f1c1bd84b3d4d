// What a transaction gave, operation by operation, from the text of its reply.
import type { ReplyValue } from './json-client.ts';
import { replyValue } from './json-client-value.ts';
import { elementSources, memberSource } from './json-source.ts';

/** Members that the operation has no use for are null. */
export interface TransactionResult {
  /** Of set, delete, bulk_set, cas, expire, persist: whether it did something. False of one that failed. */
  success: boolean | null;
  /** Of get and incr, of cas, and of a set that was asked for the value before. Null also for no such key. */
  value: ReplyValue;
  revision: number | null;
  count: number | null;
  /** Of ttl: milliseconds left, null without an end. */
  ttlMs: number | null;
  expiresAt: number | null;
  /** Only with `onFailure: 'continue'`: why it failed. */
  error: { code: string; message: string } | null;
}

type Fields = Record<string, unknown>;

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** `line`: the reply that `results` stands in, for numbers with more digits than a double. */
export function transactionResults(results: unknown, line: string): TransactionResult[] | null {
  if (!Array.isArray(results)) return null;
  let sources: readonly string[] | null = null;
  return results.map((each: unknown, at) => {
    const result = (each ?? {}) as Fields;
    const source = () => {
      sources ??= elementSources(memberSource(line, 'results') ?? '[]');
      return memberSource(sources[at] ?? '{}', 'value');
    };
    const failed = typeof result.code === 'string';
    return {
      success: typeof result.success === 'boolean' ? result.success : null,
      value: replyValue(result, source),
      revision: numberOf(result.revision),
      count: numberOf(result.count),
      ttlMs: numberOf(result.ttl_ms),
      expiresAt: numberOf(result.expires_at),
      error: failed ? { code: String(result.code), message: String(result.message) } : null,
    };
  });
}
