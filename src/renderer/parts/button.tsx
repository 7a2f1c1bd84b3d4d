// Buttons of the design system. An icon button always has a name and shows it as a tooltip.
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Hint } from './hint.tsx';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  size?: 'small' | 'normal';
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind = 'plain', size = 'normal', className = '', children, ...rest }: ButtonProps) {
  return (
    <button type="button" data-kind={kind} data-size={size} className={`button ${className}`} {...rest}>
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'aria-label'> {
  name: string;
  /** Shown after the name; the name alone when absent. */
  hint?: ReactNode;
  icon: ReactNode;
}

export function IconButton({ name, hint, icon, ...rest }: IconButtonProps) {
  return (
    <Hint text={hint === undefined ? name : hint}>
      <Button aria-label={name} data-shape="icon" {...rest}>
        {icon}
      </Button>
    </Hint>
  );
}
