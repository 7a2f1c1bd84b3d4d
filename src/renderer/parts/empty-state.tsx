// What stands where there is nothing to show yet: what is happening, and what can be done.
import type { ReactNode } from 'react';

export function EmptyState(props: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex h-full min-h-24 flex-col items-center justify-center gap-1 p-4 text-center">
      <div className="mb-1 text-faint">{props.icon}</div>
      <p className="text-title font-medium">{props.title}</p>
      {props.children === undefined ? null : <p className="max-w-96 text-dim">{props.children}</p>}
      {props.action === undefined ? null : <div className="mt-2">{props.action}</div>}
    </div>
  );
}
