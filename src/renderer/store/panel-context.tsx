// The React binding: stores and actions in one context, read through selectors.
import { createContext, type ReactNode, useContext } from 'react';
import { useStore } from 'zustand';
import type { StoreApi } from 'zustand/vanilla';
import type { ClusterView } from '../../shared/cluster-view.ts';
import type { Actions } from './actions.ts';
import type { ClusterFeed, ClusterState } from './cluster-store.ts';
import type { InterfaceState, InterfaceStore } from './interface-store.ts';
import type { PulseState } from './pulse-store.ts';

export interface Panel {
  cluster: ClusterFeed;
  pulses: StoreApi<PulseState>;
  ui: InterfaceStore;
  actions: Actions;
}

const PanelContext = createContext<Panel | null>(null);

export function PanelProvider({ panel, children }: { panel: Panel; children: ReactNode }) {
  return <PanelContext value={panel}>{children}</PanelContext>;
}

export function usePanel(): Panel {
  const panel = useContext(PanelContext);
  if (panel === null) throw new Error('usePanel outside of PanelProvider');
  return panel;
}

export function useActions(): Actions {
  return usePanel().actions;
}

export function useCluster<T>(select: (state: ClusterState) => T): T {
  return useStore(usePanel().cluster.store, select);
}

/** For parts that are drawn only once there is a picture. */
export function useView<T>(select: (view: ClusterView) => T): T {
  return useCluster(({ view }) => {
    if (view === null) throw new Error('useView before the first picture');
    return select(view);
  });
}

export function useInterface<T>(select: (state: InterfaceState) => T): T {
  return useStore(usePanel().ui, select);
}

export function usePulses<T>(select: (state: PulseState) => T): T {
  return useStore(usePanel().pulses, select);
}
