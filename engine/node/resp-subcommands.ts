// A command that is a family of subcommands: which one is meant, whether its arguments fit, and Redis's words when not.
import type { ByteString } from '../protocol/command.ts';
import { arityError, arityFits, RESP_COMMANDS } from '../protocol/resp-command-table.ts';
import { array, error, simple } from '../protocol/resp-encode.ts';
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
      const given = argv[1];
      if (given === undefined) return alone?.(argv, session) ?? null;
      const wanted = `${name}|${given.toLowerCase()}`;
      const spec = RESP_COMMANDS.get(name)?.subcommands.find((candidate) => candidate.name === wanted);
      const body = bodies[given.toLowerCase()];
      if (given.toLowerCase() === 'help' && argv.length === 2) return helpOf(name);
      if (spec === undefined || (body === undefined && given.toLowerCase() !== 'help')) {
        return error(`ERR unknown subcommand '${given.slice(0, 128)}'. Try ${name.toUpperCase()} HELP.`);
      }
      if (body === undefined || !arityFits(spec, argv.length)) return error(arityError(spec));
      return body(argv, session);
    },
  };
}
