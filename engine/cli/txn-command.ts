// txn: a transaction as JSON in the protocol's words, from an argument or standard input.
import type { Command } from 'commander';
import type {
  ExpiryOptions,
  TransactionCondition,
  TransactionOperation,
  TransactionRequest,
} from '../protocol/json-client-operation.ts';
import type { TransactionResult } from '../protocol/json-client-result.ts';
import { type WriteFlags, withClient, withWriteOptions, writeOptions } from './client-options.ts';
import { CliExitCode, EXIT_CODES_HELP, UsageError } from './exit-code.ts';
import { describeReceipt, printJson, printLine, remark } from './terminal.ts';
import { readStandardInput, shownInline, valueMembers } from './values.ts';

type Fields = Record<string, unknown>;

export function addTxn(program: Command): void {
  withWriteOptions(
    program
      .command('txn')
      .description('compare keys, then do one list of operations or another, all in one step')
      .argument('[json]', '{"compare":[…],"then":[…],"else":[…]}; standard input when it is left out'),
  )
    .addHelpText(
      'after',
      `
A condition is {"key":k} with "value":v, "revision":n (0: no such key) or "exists":true, and for the first two
"op":"=", "!=", "<" or ">". An operation is {"command":c,…} with set, get, delete, bulk_set, cas, incr, expire,
persist or ttl, as on a line of the protocol. One that fails undoes all, unless "on_failure" is "continue".

Examples:
  quorumlab txn '{"compare":[{"key":"lock","exists":false}],"then":[{"command":"set","key":"lock","value":"me","ttl_ms":30000}]}'
  quorumlab txn < transfer.json
${EXIT_CODES_HELP}`,
    )
    .action(async (text: string | undefined, flags: WriteFlags) => {
      const json = text ?? (await readStandardInput('the transaction')).toString('utf8');
      const request = parseTransaction(json);
      const done = await withClient(flags, (client) => client.txn(request, writeOptions(flags)));
      if (flags.json) printJson({ ...done, results: done.results.map(resultMembers) });
      else {
        printLine(done.succeeded ? 'then' : 'else');
        for (const result of done.results) printLine(`  ${describeResult(result)}`);
        remark(describeReceipt(done.receipt));
      }
      if (!done.succeeded) process.exitCode = CliExitCode.negative;
    });
}

function parseTransaction(json: string): TransactionRequest {
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`the transaction is no JSON: ${(error as Error).message}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new UsageError('the transaction must be an object: {"compare":[…],"then":[…],"else":[…]}');
  }
  const { compare = [], then = [], else: otherwise = [], on_failure: onFailure } = body as Fields;
  for (const [name, list] of Object.entries({ compare, then, else: otherwise })) {
    if (!Array.isArray(list)) throw new UsageError(`"${name}" must be an array`);
  }
  return {
    // The node checks what they hold, and names what is wrong.
    compare: compare as TransactionCondition[],
    success: (then as unknown[]).map(operationOf),
    failure: (otherwise as unknown[]).map(operationOf),
    onFailure: onFailure as TransactionRequest['onFailure'],
  };
}

/** From the protocol's names to the client's. */
function operationOf(operation: unknown): TransactionOperation {
  const fields = (operation ?? {}) as Fields;
  const { keep_ttl: keepTtl, only_if: onlyIf, return_previous: returnPrevious, items, ...rest } = fields;
  const named = {
    ...expiring(rest),
    ...{ keepTtl, onlyIf, returnPrevious },
    ...(Array.isArray(items) ? { items: items.map(itemOf) } : {}),
  };
  return named as unknown as TransactionOperation;
}

function itemOf(item: unknown): Fields {
  if (Array.isArray(item)) return { key: item[0], value: item[1] };
  return expiring((item ?? {}) as Fields);
}

function expiring({ ttl_ms: ttlMs, expires_at: expiresAt, ...rest }: Fields): Fields & ExpiryOptions {
  return { ...rest, ...({ ttlMs, expiresAt } as ExpiryOptions) };
}

function resultMembers({ value, ...rest }: TransactionResult): Fields {
  return { ...rest, ...valueMembers(value) };
}

function describeResult({ success, value, count, ttlMs, error }: TransactionResult): string {
  if (error !== null) return `failed: ${error.message}`;
  if (value !== null) return shownInline(value);
  if (ttlMs !== null) return `${ttlMs} ms`;
  if (count !== null) return `${count} keys`;
  return success === null ? 'nothing' : success ? 'OK' : 'no';
}
