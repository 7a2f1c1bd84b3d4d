// The time, as state that changes by itself: for ages and running stopwatches. Only parts that show one use it.
import { useEffect, useState } from 'react';

/** Milliseconds since the epoch, renewed every `intervalMs`; still while `running` is false. */
export function useNow(intervalMs: number, running = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs, running]);
  return now;
}
