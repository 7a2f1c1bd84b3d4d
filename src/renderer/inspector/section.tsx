// A titled block of the inspector and its rows of name and value.
import type { ReactNode } from 'react';
import { useId } from 'react';

export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="mb-1.5 flex items-baseline justify-between gap-2">
        <h2 id={id} className="text-body font-semibold">
          {title}
        </h2>
        {aside === undefined ? null : <span className="text-small text-faint">{aside}</span>}
      </div>
      {children}
    </section>
  );
}

export type Fact = readonly [name: string, value: ReactNode, tone?: 'warn' | 'bad'];

/** Two columns of facts: dense, and aligned down the section. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-1">
      {facts.map(([name, value, tone]) => (
        <div key={name} className="flex min-w-0 items-baseline justify-between gap-2">
          <dt className="shrink-0 text-faint">{name}</dt>
          <dd
            className={`selectable truncate text-right font-medium ${tone === 'bad' ? 'text-bad' : tone === 'warn' ? 'text-warn' : ''}`}
          >
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
