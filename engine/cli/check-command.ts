// check: is a recorded history linearizable? The work is the checker's; here are the file and the exit code.
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { checkText, checkToJson, describeCheck } from '../checker/check-text.ts';
import { renderHistoryHtml } from '../checker/html-report.ts';
import { UsageError } from './exit-code.ts';
import { printJson, printLine, remark } from './terminal.ts';

interface CheckFlags {
  budget?: number;
  html?: string;
  json?: boolean;
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .argument('<file>', 'the history, JSON Lines; - for standard input')
    .description('check a recorded history for linearizability')
    .option('--budget <steps>', 'give up as undecided after so many search steps', positiveInteger)
    .option('--html <file>', 'draw the history into one self-contained file')
    .option('--json', 'print the verdict as one line of JSON')
    .addHelpText(
      'after',
      `
One JSON object a line, an invocation and later its completion:
  {"process":0,"type":"invoke","f":"write","key":"x","value":1,"time":10}
  {"process":0,"type":"ok","f":"write","key":"x","value":1,"time":14}
f is read, write, cas (value [expected, new]) or append; type is invoke, ok, fail (it did not happen) or
info (nobody knows). engine/checker/HISTORY.md has the whole format.

Examples:
  quorumlab check history.jsonl
  quorumlab check history.jsonl --html history.html

Exit codes:
  0  ok: some order explains every reply
  1  violation: none does; the smallest failing part is shown
  2  undecided within the budget, or no history; the reason is shown`,
    )
    .action(async (file: string, flags: CheckFlags) => {
      const checked = checkText(
        await readHistory(file),
        flags.budget === undefined ? {} : { budget: flags.budget },
      );
      if (flags.html !== undefined) await draw(checked, { file, html: flags.html });
      if (flags.json === true) printJson(checkToJson(checked) as object);
      else printLine(describeCheck(checked));
      process.exitCode = checked.exitCode;
    });
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 up');
  return Number(text);
}

async function readHistory(file: string): Promise<string> {
  try {
    return (await file) === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

async function draw(
  checked: ReturnType<typeof checkText>,
  { file, html }: { file: string; html: string },
): Promise<void> {
  if (checked.history === null || checked.verdict === null) return;
  await writeFile(html, renderHistoryHtml(checked.history, checked.verdict, { title: file }));
  remark(`drawn into ${html}`);
}
