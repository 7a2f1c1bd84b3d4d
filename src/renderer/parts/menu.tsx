// Menus as data, drawn as a drop-down behind a button or as a context menu, so that both always offer the same.
import { ChevronRight } from 'lucide-react';
import { ContextMenu, DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';

export type MenuEntry =
  | {
      kind: 'item';
      label: string;
      icon?: ReactNode;
      hint?: string;
      tone?: 'plain' | 'danger';
      disabled?: boolean;
      onSelect: () => void;
    }
  | { kind: 'sub'; label: string; icon?: ReactNode; entries: readonly MenuEntry[] }
  | { kind: 'label'; label: string }
  | { kind: 'separator'; id: string };

type Primitives = typeof DropdownMenu | typeof ContextMenu;

function keyOf(entry: MenuEntry): string {
  return entry.kind === 'separator' ? `separator ${entry.id}` : `${entry.kind} ${entry.label}`;
}

function Entries({ entries, of }: { entries: readonly MenuEntry[]; of: Primitives }) {
  return entries.map((entry) => <Entry key={keyOf(entry)} entry={entry} of={of} />);
}

function Entry({ entry, of }: { entry: MenuEntry; of: Primitives }) {
  switch (entry.kind) {
    case 'separator':
      return <of.Separator className="menu-separator" />;
    case 'label':
      return <of.Label className="menu-label">{entry.label}</of.Label>;
    case 'sub':
      return (
        <of.Sub>
          <of.SubTrigger className="menu-item">
            {entry.icon}
            {entry.label}
            <span className="menu-hint">
              <ChevronRight size={14} />
            </span>
          </of.SubTrigger>
          <of.Portal>
            <of.SubContent className="floating menu" sideOffset={4} alignOffset={-5} collisionPadding={8}>
              <Entries entries={entry.entries} of={of} />
            </of.SubContent>
          </of.Portal>
        </of.Sub>
      );
    case 'item':
      return (
        <of.Item
          className="menu-item"
          data-tone={entry.tone ?? 'plain'}
          disabled={entry.disabled ?? false}
          onSelect={entry.onSelect}
        >
          {entry.icon}
          {entry.label}
          {entry.hint === undefined ? null : <span className="menu-hint">{entry.hint}</span>}
        </of.Item>
      );
  }
}

export interface MenuProps {
  label: string;
  entries: readonly MenuEntry[];
  children: ReactNode;
}

export interface MenuButtonProps extends MenuProps {
  align?: 'start' | 'center' | 'end';
  /** Given together: someone else also opens the menu. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

/** A menu behind a button, which is `children`. */
export function MenuButton({ label, entries, children, align = 'start', ...control }: MenuButtonProps) {
  return (
    <DropdownMenu.Root modal={false} {...control}>
      <DropdownMenu.Trigger asChild>{children}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="floating menu"
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={8}
        >
          <Entries entries={entries} of={DropdownMenu} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** The menu of a right click on `children`. */
export function MenuArea({ label, entries, children }: MenuProps) {
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal>
        <ContextMenu.Content className="floating menu" aria-label={label} collisionPadding={8}>
          <Entries entries={entries} of={ContextMenu} />
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
