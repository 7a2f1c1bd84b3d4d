// The command line as a whole: its commands, its help, and how every way to end becomes an exit code.
import { Command, CommanderError } from 'commander';
import { VERSION } from '../protocol/version.ts';
import { addBench } from './bench-command.ts';
import { addBulkSet } from './bulk-set-command.ts';
import { addCheck } from './check-command.ts';
import { addCluster } from './cluster-command.ts';
import { addCompletion } from './completion-command.ts';
import { CliExitCode, EXIT_CODES_HELP, reportError } from './exit-code.ts';
import { addKeyCommands } from './key-commands.ts';
import { addMember } from './member-command.ts';
import { addScan } from './scan-command.ts';
import { addServe } from './serve-command.ts';
import { addSnapshot } from './snapshot-command.ts';
import { addStatus } from './status-command.ts';
import { printError } from './terminal.ts';
import { addTtlCommands } from './ttl-commands.ts';
import { addTxn } from './txn-command.ts';
import { addWal } from './wal-command.ts';
import { addWatch } from './watch-command.ts';

export function createProgram(): Command {
  const program = new Command('quorumlab')
    .description(
      'A replicated key-value store over Raft: durable, linearizable, and made to be watched and broken.',
    )
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(quorumlab <command> --help shows how)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `
Start here:
  quorumlab cluster --ephemeral        three nodes on this machine
  quorumlab set greeting hello         in another terminal
  quorumlab get greeting
  quorumlab status

Every command explains itself with --help, and prints one line of JSON with --json.
QUORUMLAB_ENDPOINTS says where the nodes are, if not on ports 7001 to 7003 of this machine.
${EXIT_CODES_HELP}`,
    );
  addCluster(program);
  addServe(program);
  addStatus(program);
  addMember(program);
  addKeyCommands(program);
  addTtlCommands(program);
  addTxn(program);
  addBulkSet(program);
  addScan(program);
  addWatch(program);
  addCheck(program);
  addBench(program);
  addWal(program);
  addSnapshot(program);
  addCompletion(program);
  return program;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Runs one command line; sets `process.exitCode`. Never rejects. */
export async function run(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  const program = createProgram();
  const silence = { writeErr: () => {} };
  for (const command of withSubcommands(program)) {
    if (json) command.configureOutput(silence);
    command.exitOverride();
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were asked for and printed.
      if (error.exitCode === 0) return;
      process.exitCode = CliExitCode.usage;
      const message = error.message.replace(/^error: /, '');
      if (json)
        printError({ ...reportError(error), code: 'USAGE', message, exitCode: CliExitCode.usage }, { json });
      return;
    }
    const report = reportError(error);
    process.exitCode = report.exitCode;
    printError(report, { json });
  }
}
