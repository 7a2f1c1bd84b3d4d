// What the window remembers between two starts, in localStorage. A full or forbidden storage costs the memory,
// never the window; what is read back is checked before use.

const PREFIX = 'quorumlab:';

export function recall<T>(name: string, parse: (value: unknown) => T | null, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : (parse(JSON.parse(text)) ?? otherwise);
  } catch {
    return otherwise;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Private windows and full disks: this session works, the next one starts with the defaults.
  }
}
