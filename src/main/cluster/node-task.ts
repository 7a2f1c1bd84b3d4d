// The end of a small task that the node's program runs in a process of its own: its output, or why it failed.
import { exitReason } from './exit-reason.ts';

/** The streams may end a moment after the process. */
const OUTPUT_MS_MAX = 2000;

interface TaskStreams {
  out: NodeJS.ReadableStream | null;
  error: NodeJS.ReadableStream | null;
}

/** Resolves to what it wrote to standard output; rejects with the last line of standard error. */
export async function finishTask(
  { out, error }: TaskStreams,
  listen: (onExit: (code: number) => void) => void,
): Promise<string> {
  const [output, errorText] = [collect(out), collect(error)];
  const code = await new Promise<number>((resolve) => listen(resolve));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, OUTPUT_MS_MAX);
  });
  await Promise.race([Promise.all([output.ended, errorText.ended]), late]);
  clearTimeout(timer);
  if (code === 0) return output.text();
  throw new Error(exitReason({ code, signal: null, errorTail: errorText.text() }));
}

function collect(stream: NodeJS.ReadableStream | null): { text: () => string; ended: Promise<void> } {
  let text = '';
  stream?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const ended = new Promise<void>((resolve) => {
    if (stream === null) resolve();
    else stream.on('end', resolve);
  });
  return { text: () => text, ended };
}
