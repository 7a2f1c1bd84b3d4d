// Programs that a benchmark started end with it, also when it is interrupted.
import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

export function endWithThisProcess<Child extends ChildProcess>(child: Child): Child {
  if (children.size === 0) process.once('exit', endAll);
  children.add(child);
  child.once('exit', () => {
    children.delete(child);
    if (children.size === 0) process.off('exit', endAll);
  });
  return child;
}

function endAll(): void {
  for (const child of children) child.kill();
}
