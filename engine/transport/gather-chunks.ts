// Turns many small pieces of bytes into few: what is small is copied together, what is large stays as it is.
// A vectored write pays some hundred nanoseconds a piece, copying pays per byte; at about 4 KiB they meet.

const SMALL_BYTES_MAX = 4096;

/** The same bytes in the same order. Neighbouring small pieces share one fresh buffer; large pieces are not copied. */
export function gatherChunks(chunks: readonly Uint8Array[]): Uint8Array[] {
  const gathered: Uint8Array[] = [];
  let runStart = 0;
  let runBytes = 0;
  for (let at = 0; at <= chunks.length; at++) {
    const chunk = chunks[at];
    if (chunk !== undefined && chunk.length <= SMALL_BYTES_MAX) {
      runBytes += chunk.length;
      continue;
    }
    if (at - runStart === 1) gathered.push(chunks[runStart] as Uint8Array);
    else if (at > runStart) gathered.push(joinChunks(chunks, { start: runStart, end: at, bytes: runBytes }));
    if (chunk !== undefined) gathered.push(chunk);
    runStart = at + 1;
    runBytes = 0;
  }
  return gathered;
}

function joinChunks(
  chunks: readonly Uint8Array[],
  run: { start: number; end: number; bytes: number },
): Uint8Array {
  const joined = Buffer.allocUnsafe(run.bytes);
  let offset = 0;
  for (let at = run.start; at < run.end; at++) {
    const chunk = chunks[at] as Uint8Array;
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
