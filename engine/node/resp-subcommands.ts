// A command that is a family of subcommands. That the subcommand exists and gets its arguments has been checked
// against the table before.
import type { ByteString } from '../protocol/command.ts';
import { RESP_COMMANDS } from '../protocol/resp-command-table.ts';
import { array, simple } from '../protocol/resp-encode.ts';
import type { LocalCommand } from './resp-command.ts';
import type { RespSession } from './resp-session.ts';

/** As LocalCommand's run. */
export type Subcommand = (argv: readonly ByteString[], session: RespSession) => ByteString | null;

function helpOf(name: string): ByteString {
  const specs = RESP_COMMANDS.get(name)?.subcommands ?? [];
  const lines = [`${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const spec of specs) {
    lines.push((spec.name.split('|')[1] ?? '').toUpperCase(), `    ${spec.summary}.`);
  }
  return array(lines.map(simple));
}

/** `alone`: what the command means without a subcommand, where it means something. */
export function family(
  name: string,
  bodies: Readonly<Record<string, Subcommand>>,
  alone: Subcommand | null = null,
): LocalCommand {
  return {
    kind: 'local',
    run(argv, session) {
      const given = argv[1]?.toLowerCase();
      if (given === undefined) return alone?.(argv, session) ?? null;
      if (given === 'help') return helpOf(name);
      const body = bodies[given];
      if (body === undefined) throw new Error(`nothing does ${name} ${given}`);
      return body(argv, session);
    },
  };
}
