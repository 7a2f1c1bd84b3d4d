// The desktop app as a program: it keeps its data, leaves nothing behind, and stays in its box.
import { expect } from '@playwright/test';
import { closeDesktop, launchDesktop, test } from './fixtures.ts';
import { livePids, processesOn } from './live-processes.ts';
import { PanelPage } from './panel-page.ts';

test('quit and start again: the key is still there', async ({ dataDir }) => {
  const first = await launchDesktop(dataDir);
  const panel = new PanelPage(first.window);
  const before = await panel.ready();
  expect(await panel.run('set durable yes')).toMatch(/OK/);
  const pids = await panel.nodePids();
  await closeDesktop(first.app);
  await expect.poll(() => livePids(pids)).toEqual([]);

  const second = await launchDesktop(dataDir);
  const again = new PanelPage(second.window);
  const after = await again.ready();
  expect(after.term).toBeGreaterThan(before.term);
  expect(await again.run('get durable')).toContain('"yes"');
  await closeDesktop(second.app);
});

test('no process is left after the app dies by SIGKILL, a paused node included', async ({ dataDir }) => {
  // Not the fixture's app: that one expects to be closed, and this one dies.
  const { app, window } = await launchDesktop(dataDir);
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  const [follower] = panel.followersOf(nodeId);
  const pids = await panel.nodePids();
  expect(livePids(pids)).toEqual(pids);
  await panel.button(`Pause n${follower}`).click();
  await expect(panel.node(follower)).toHaveAttribute('data-state', 'paused');
  const main = app.process();
  const gone = new Promise((done) => main.once('exit', done));
  main.kill('SIGKILL');
  await gone;
  await expect.poll(() => livePids(pids)).toEqual([]);
  await expect.poll(() => processesOn(dataDir)).toEqual([]);
});

test('the window has no Node.js, goes nowhere, opens nothing and reaches no other site', async ({
  desktop,
}) => {
  const { app, window } = desktop;
  await new PanelPage(window).ready();
  const inside = await window.evaluate(async () => {
    const page = globalThis as unknown as Record<string, unknown> & Window;
    const remote = await fetch('https://example.com/').then(
      () => 'reached',
      () => 'blocked',
    );
    const script = document.createElement('script');
    script.textContent = 'globalThis.inlineRan = true';
    document.head.append(script);
    return {
      node: [typeof page.require, typeof page.process, typeof page.module],
      remote,
      inlineRan: page.inlineRan === true,
      opened: page.open('https://example.com/') !== null,
    };
  });
  expect(inside).toEqual({
    node: ['undefined', 'undefined', 'undefined'],
    remote: 'blocked',
    inlineRan: false,
    opened: false,
  });
  // From the main process: Playwright's own page would wait for a navigation that never comes.
  const after = await app.evaluate(async ({ BrowserWindow }) => {
    const [panel] = BrowserWindow.getAllWindows();
    await panel?.webContents.executeJavaScript("location.href = 'https://example.com/'; 0");
    await panel?.webContents.executeJavaScript("location.href = 'file:///etc/passwd'; 0");
    const health = await panel?.webContents.executeJavaScript(
      "document.querySelector('[data-testid=health]')?.textContent",
    );
    return { windows: BrowserWindow.getAllWindows().length, url: panel?.webContents.getURL(), health };
  });
  expect(after).toEqual({
    windows: 1,
    url: 'quorumlab://panel/index.html',
    health: expect.stringMatching(/./),
  });
});

test('a call that the contract does not know, or that carries nonsense, is refused in words', async ({
  window,
}) => {
  await new PanelPage(window).ready();
  const refusals = await window.evaluate(async () => {
    const { quorumlab } = globalThis as unknown as {
      quorumlab: { call(channel: string, argument?: unknown): Promise<unknown> };
    };
    const messageOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'was carried out',
        (error: Error) => error.message,
      );
    return [
      await messageOf(quorumlab.call('process:exit')),
      await messageOf(quorumlab.call('node:kill', { nodeId: 'all' })),
      await messageOf(quorumlab.call('node:kill', { nodeId: 7 })),
    ];
  });
  expect(refusals[0]).toContain('There is no call "process:exit".');
  expect(refusals[1]).toContain('node:kill was refused: nodeId');
  expect(refusals[2]).toContain('There is no n7');
});
