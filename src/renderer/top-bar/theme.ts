// Dark and light: follows the system until a person chooses.
import { useEffect, useSyncExternalStore } from 'react';
import { useInterface } from '../store/panel-context.tsx';

const media = () => (typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: light)') : null);

function subscribe(changed: () => void): () => void {
  const query = media();
  query?.addEventListener('change', changed);
  return () => query?.removeEventListener('change', changed);
}

/** The theme in force; also writes it on the document, where tokens.css reads it. */
export function useTheme(): 'dark' | 'light' {
  const chosen = useInterface((state) => state.theme);
  const systemIsLight = useSyncExternalStore(subscribe, () => media()?.matches ?? false);
  const theme = chosen === 'system' ? (systemIsLight ? 'light' : 'dark') : chosen;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
