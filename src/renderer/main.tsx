// Puts the window together: the bridge of whichever host, the stores over it, and React on top.
import { createRoot } from 'react-dom/client';
import { toast } from 'sonner';
import { App } from './app.tsx';
import { resolveBridge } from './resolve-bridge.ts';
import { createActions } from './store/actions.ts';
import { ClusterFeed } from './store/cluster-store.ts';
import { createInterfaceStore } from './store/interface-store.ts';
import { PanelProvider } from './store/panel-context.tsx';
import { createPulseStore } from './store/pulse-store.ts';
import './styles/index.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

const bridge = resolveBridge();
const ui = createInterfaceStore();
const cluster = new ClusterFeed(bridge);
const panel = {
  cluster,
  ui,
  pulses: createPulseStore(cluster),
  actions: createActions(bridge, ui, (title, description) => toast.error(title, { description })),
};

createRoot(root).render(
  <PanelProvider panel={panel}>
    <App />
  </PanelProvider>,
);
