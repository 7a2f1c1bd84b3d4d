// A value that is taken over at a steady beat, each user of it at its own moment: so that several expensive parts
// never draw in the same frame.
import { useEffect, useRef, useState } from 'react';

/** The newest `value` as of the last beat; beats come every `intervalMs`, the first after `offsetMs`. */
export function useStaggered<T>(
  value: T,
  { intervalMs, offsetMs }: { intervalMs: number; offsetMs: number },
): T {
  const [shown, setShown] = useState(() => value);
  const latest = useRef(value);
  latest.current = value;
  useEffect(() => {
    let beat: ReturnType<typeof setInterval> | undefined;
    const take = () => setShown(() => latest.current);
    const first = setTimeout(() => {
      take();
      beat = setInterval(take, intervalMs);
    }, offsetMs);
    return () => {
      clearTimeout(first);
      clearInterval(beat);
    };
  }, [intervalMs, offsetMs]);
  return shown;
}
