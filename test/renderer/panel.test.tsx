// The whole window in jsdom over a bridge in memory: what it shows after what the nodes said, and what it asks
// for when someone clicks, types or presses a key.
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { App } from '../../src/renderer/app.tsx';
import { createActions } from '../../src/renderer/store/actions.ts';
import { ClusterFeed } from '../../src/renderer/store/cluster-store.ts';
import { createInterfaceStore } from '../../src/renderer/store/interface-store.ts';
import { PanelProvider } from '../../src/renderer/store/panel-context.tsx';
import { createPulseStore } from '../../src/renderer/store/pulse-store.ts';
import type { ClusterItem, FailoverGap } from '../../src/shared/cluster-view.ts';
import { HandTurnedHost, settled } from './hand-turned-host.ts';
import { MemoryBridge } from './memory-bridge.ts';
import { killed, processOf, START, statusItem, viewAfter } from './sample-view.ts';

// jsdom has no layout, and so neither of these.
class NoLayout {
  observe() {}
  unobserve() {}
  disconnect() {}
}

beforeEach(() => {
  localStorage.clear();
  globalThis.ResizeObserver ??= NoLayout;
  Element.prototype.scrollIntoView ??= () => {};
});

const notices: string[] = [];
const open: ClusterFeed[] = [];

afterEach(() => {
  cleanup();
  for (const feed of open.splice(0)) feed.dispose();
  notices.length = 0;
});

async function openWindow(bridge = new MemoryBridge(viewAfter())) {
  const host = new HandTurnedHost();
  const ui = createInterfaceStore();
  const cluster = new ClusterFeed(bridge, host);
  open.push(cluster);
  const actions = createActions(bridge, ui, (title, description) => notices.push(`${title}: ${description}`));
  const panel = { cluster, ui, actions, pulses: createPulseStore(cluster) };
  render(
    <PanelProvider panel={panel}>
      <App />
    </PanelProvider>,
  );
  await act(settled);
  const happen = (...items: ClusterItem[]) =>
    act(() => {
      bridge.push(...items);
      host.frame();
    });
  return { bridge, host, ui, happen };
}

const card = (nodeId: number) => screen.getByTestId(`node-${nodeId}`);

test('shows role, term, commit and state of each node', async () => {
  await openWindow();
  expect(card(1).dataset).toMatchObject({ role: 'leader', term: '4', state: 'running', commit: '118' });
  expect(card(2).dataset).toMatchObject({ role: 'follower', term: '4', state: 'running' });
  expect(screen.getByTestId('health').textContent).toBe('Healthy');
  expect(screen.getByTestId('leader').textContent).toBe('n1, term 4');
});

test('before the first picture it says what is happening, and after a failure what can be done', async () => {
  const bridge = new MemoryBridge(viewAfter());
  bridge.broken = 'Open the address that the terminal printed.';
  await openWindow(bridge);
  expect(screen.getByText('The panel cannot be reached')).toBeDefined();
  expect(screen.getByText(/Open the address that the terminal printed/)).toBeDefined();
});

test('a killed leader is dead in the next frame, and no frame shows it leading', async () => {
  const { happen } = await openWindow();
  happen({ type: 'process', process: killed(1) });
  expect(card(1).dataset).toMatchObject({ role: 'crashed', state: 'crashed', term: '' });
  expect(card(1).textContent).toContain('killed by SIGKILL');
  expect(screen.getByTestId('leader').textContent).toBe('–');
  expect(screen.getByTestId('health').textContent).toBe('Electing…');
  expect(screen.getByRole('button', { name: 'Restart n1' })).toBeDefined();
  expect(screen.queryByRole('button', { name: 'Kill n1' })).toBeNull();
});

test('when a node dies under the button that killed it, the keyboard stays on its card', async () => {
  const { happen } = await openWindow();
  screen.getByRole('button', { name: 'Kill n2' }).focus();
  happen({ type: 'process', process: killed(2) });
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Restart n2');
});

test('a status that was under way when its process died does not bring it back', async () => {
  const { happen } = await openWindow();
  happen({ type: 'process', process: killed(1) });
  happen(statusItem(1, { at: START + 5, raft: { role: 'leader' } }));
  expect(card(1).dataset.role).toBe('crashed');
  expect(document.querySelectorAll('[data-role="leader"]')).toHaveLength(0);
});

test('the failover gap is shown when clients can write again', async () => {
  const { happen } = await openWindow();
  expect(screen.getByTestId('failover-gap').textContent).toBe('–');
  const failover: FailoverGap = {
    id: 1,
    lastAcknowledgedAt: START,
    firstAcknowledgedAt: START + 184,
    gapMs: 184,
    measuredFrom: 'acknowledgement',
    cause: 'killed by SIGKILL',
    fromLeader: 1,
    fromTerm: 4,
    toLeader: 2,
    toTerm: 5,
  };
  happen({ type: 'failover', failover });
  expect(screen.getByTestId('failover-gap').textContent).toBe('184 ms');
});

test.each([
  ['Kill n2', 'node:kill', { nodeId: 2 }],
  ['Pause n3', 'node:pause', { nodeId: 3 }],
  ['Restart n2', 'node:restart', { nodeId: 2 }],
  ['Step down n1', 'node:stepDown', { nodeId: 1, target: undefined }],
  ['Campaign n2', 'node:campaign', { nodeId: 2 }],
  ['Heal all', 'cluster:heal', undefined],
] as const)('the button %s asks for %s', async (name, channel, argument) => {
  const { bridge } = await openWindow();
  fireEvent.click(screen.getByRole('button', { name }));
  await act(settled);
  expect(bridge.asked(channel)).toEqual([argument]);
});

test('a paused node can be resumed', async () => {
  const { bridge, happen } = await openWindow();
  happen({ type: 'process', process: processOf(2, { state: 'paused' }) });
  expect(card(2).dataset.role).toBe('paused');
  fireEvent.click(screen.getByRole('button', { name: 'Resume n2' }));
  await act(settled);
  expect(bridge.asked('node:resume')).toEqual([{ nodeId: 2 }]);
});

test('a refused call becomes a notice in plain words', async () => {
  const { bridge } = await openWindow();
  bridge.answers['node:stepDown'] = () => {
    throw new Error('No follower is up to date.');
  };
  fireEvent.click(screen.getByRole('button', { name: 'Step down n1' }));
  await act(settled);
  expect(notices).toEqual(['Could not make n1 step down: No follower is up to date.']);
});

test('a cut link is drawn cut on its label, with the fault removable in the inspector', async () => {
  const { bridge, happen } = await openWindow();
  const fault = { id: 'c1', peer: 3, direction: 'both', effect: { kind: 'cut' } } as const;
  happen(statusItem(2, { at: START + 1, faults: { disk: [], links: [fault] } }));
  expect(screen.getByTestId('link-2-3').dataset.condition).toBe('cut');
  expect(screen.getByTestId('link-1-2').dataset.condition).toBe('whole');
  fireEvent.click(screen.getByRole('button', { name: 'Inspect n2' }));
  fireEvent.click(screen.getByRole('button', { name: 'Remove fault: link with n3 cut' }));
  await act(settled);
  expect(bridge.asked('fault:remove')).toEqual([{ nodeId: 2, faultId: 'c1' }]);
});

test('the inspector keeps a dead node’s last words and says that they are', async () => {
  const { happen } = await openWindow();
  happen({ type: 'process', process: killed(1) });
  const inspector = within(screen.getByTestId('inspector'));
  expect(inspector.getByText('n1 is dead. Below is the last it said.')).toBeDefined();
  expect(inspector.getByText('Last exit')).toBeDefined();
});

test('reset asks first', async () => {
  const { bridge } = await openWindow();
  fireEvent.click(screen.getByRole('button', { name: 'Reset cluster' }));
  const dialog = within(screen.getByRole('alertdialog'));
  expect(bridge.asked('cluster:reset')).toEqual([]);
  fireEvent.click(dialog.getByRole('button', { name: 'Reset cluster' }));
  await act(settled);
  expect(bridge.asked('cluster:reset')).toHaveLength(1);
});

async function typeLine(line: string) {
  const input = screen.getByTestId<HTMLInputElement>('console-input');
  fireEvent.change(input, { target: { value: line } });
  fireEvent.keyDown(input, { key: 'Enter' });
  await act(settled);
  return input;
}

test('the console shows the answer, its tone and its receipt, and remembers the line', async () => {
  const { bridge } = await openWindow();
  bridge.answers['console:execute'] = () => ({
    ok: true,
    lines: [{ tone: 'ok', text: 'OK' }],
    receipt: { node: 1, index: 121, term: 4, attempts: 1, elapsedMs: 1.5 },
  });
  const input = await typeLine('set greeting hello');
  const output = within(screen.getByTestId('console-output'));
  expect(output.getByText('OK').dataset.tone).toBe('ok');
  fireEvent.click(output.getByRole('button', { name: 'Unfold the receipt' }));
  expect(output.getByText('121')).toBeDefined();
  expect(input.value).toBe('');
  fireEvent.keyDown(input, { key: 'ArrowUp' });
  expect(input.value).toBe('set greeting hello');
  expect(createInterfaceStore().getState().consoleLines).toEqual(['set greeting hello']);
});

test('a console call that is refused is answered in the console', async () => {
  const { bridge } = await openWindow();
  bridge.answers['console:execute'] = () => {
    throw new Error('The panel is closing.');
  };
  await typeLine('get a');
  const answer = screen.getByText('The panel is closing.');
  expect(answer.dataset.tone).toBe('error');
});

test('Tab completes a command, then a node; on an empty line it is not taken', async () => {
  await openWindow();
  const input = screen.getByTestId<HTMLInputElement>('console-input');
  expect(fireEvent.keyDown(input, { key: 'Tab' })).toBe(true);
  fireEvent.change(input, { target: { value: 'camp', selectionStart: 4 } });
  expect(fireEvent.keyDown(input, { key: 'Tab' })).toBe(false);
  expect(input.value).toBe('campaign ');
  fireEvent.change(input, { target: { value: 'campaign n3', selectionStart: 10 } });
  const candidates = ['n1', 'n2', 'n3'];
  fireEvent.change(input, { target: { value: 'campaign n', selectionStart: 10 } });
  expect(screen.getAllByRole('option').map(({ textContent }) => textContent)).toEqual(candidates);
  fireEvent.keyDown(input, { key: 'Tab' });
  fireEvent.keyDown(input, { key: 'Tab' });
  expect(input.value).toBe('campaign n2');
  fireEvent.keyDown(input, { key: 'Escape' });
  expect(input.value).toBe('campaign n');
});

test('pasted lines run one after another, each after the answer to the one before', async () => {
  const { bridge } = await openWindow();
  let running = 0;
  let runningMax = 0;
  bridge.answers['console:execute'] = async ({ line }) => {
    running += 1;
    runningMax = Math.max(runningMax, running);
    await settled();
    running -= 1;
    return { ok: true, lines: [{ tone: 'ok', text: `did ${line}` }], receipt: null };
  };
  const input = screen.getByTestId('console-input');
  fireEvent.paste(input, { clipboardData: { getData: () => 'set a 1\n# note\nset b 2\nget a\n' } });
  await act(async () => {
    for (let turn = 0; turn < 20; turn++) await settled();
  });
  expect(screen.getByText('did get a').dataset.tone).toBe('ok');
  expect(runningMax).toBe(1);
  expect(bridge.asked('console:execute')).toEqual([
    { line: 'set a 1' },
    { line: 'set b 2' },
    { line: 'get a' },
  ]);
});

test('keys of the keyboard act, but not while someone types', async () => {
  const { bridge } = await openWindow();
  fireEvent.keyDown(screen.getByTestId('console-input'), { key: 'h' });
  expect(bridge.asked('cluster:heal')).toEqual([]);
  fireEvent.keyDown(document.body, { key: '2' });
  fireEvent.keyDown(document.body, { key: 'k' });
  fireEvent.keyDown(document.body, { key: 'K', shiftKey: true });
  await act(settled);
  expect(bridge.asked('node:kill')).toEqual([{ nodeId: 2 }, { nodeId: 1 }]);
});

test('the command palette opens with Ctrl K and carries out what is chosen', async () => {
  const { bridge } = await openWindow();
  fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
  const palette = within(screen.getByRole('dialog', { name: 'Command palette' }));
  fireEvent.change(palette.getByRole('combobox'), { target: { value: 'kill the leader' } });
  fireEvent.keyDown(palette.getByRole('combobox'), { key: 'Enter' });
  await act(settled);
  expect(bridge.asked('node:kill')).toEqual([{ nodeId: 1 }]);
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('the theme is written on the document and remembered', async () => {
  const { ui } = await openWindow();
  act(() => ui.setState({ theme: 'light' }));
  expect(document.documentElement.dataset.theme).toBe('light');
  expect(createInterfaceStore().getState().theme).toBe('light');
});

test('what an older version remembered, or nonsense, does not break the window', () => {
  localStorage.setItem('quorumlab:tab', '"keys-of-the-future"');
  localStorage.setItem('quorumlab:load', '{"ratePerSecond":"many"}');
  localStorage.setItem('quorumlab:console-history', '{');
  localStorage.setItem('quorumlab:hidden-kinds', '["message","unheard-of"]');
  expect(createInterfaceStore().getState()).toMatchObject({
    tab: 'console',
    consoleLines: [],
    hiddenKinds: ['message'],
    loadRequest: { ratePerSecond: 500 },
  });
});
