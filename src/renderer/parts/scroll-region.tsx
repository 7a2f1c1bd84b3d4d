// A named part that scrolls. It takes the keyboard, because whoever has no wheel must be able to scroll it too.
import type { HTMLAttributes, Ref } from 'react';

export interface ScrollRegionProps extends HTMLAttributes<HTMLElement> {
  label: string;
  ref?: Ref<HTMLElement>;
}

export function ScrollRegion({ label, ...rest }: ScrollRegionProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see the head of this file.
    <section tabIndex={0} aria-label={label} {...rest} />
  );
}
