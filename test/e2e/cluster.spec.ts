// What a person does with the cluster in the real Electron app.
import { expect } from '@playwright/test';
import { test } from './fixtures.ts';
import { PanelPage } from './panel-page.ts';

test('three nodes come up and one leads', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId, term } = await panel.ready();
  expect(term).toBeGreaterThan(0);
  await expect(window.getByTestId('health')).toHaveText(/Healthy/);
  await expect(window.getByTestId('leader')).toHaveText(`n${nodeId}, term ${term}`);
  for (const follower of panel.followersOf(nodeId)) {
    await expect(panel.node(follower)).toHaveAttribute('data-term', String(term));
  }
});

test('set and get a key in the console, with its receipt', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  expect(await panel.run('set greeting "hello world"')).toMatch(/OK/);
  expect(await panel.run('get greeting')).toContain('"hello world"');
  await panel.button('Unfold the receipt').last().click();
  await expect(window.getByTestId('console-output')).toContainText(`n${nodeId}`);
  expect(await panel.run('get nothing')).toContain('(nil)');
  expect(await panel.run('sett greeting x')).toContain('Did you mean "set"?');
  expect(await panel.run('bulk-set a=1 b=2 c=3')).toContain('3 keys');
  expect(await panel.run('scan')).toMatch(/a\s+"1"[\s\S]*greeting\s+"hello world"/);
});

test('kill the leader and watch the failover', async ({ window }) => {
  const panel = new PanelPage(window);
  const before = await panel.ready();
  expect(await panel.run('set survivor yes')).toMatch(/OK/);
  await panel.button(`Kill n${before.nodeId}`).click();
  await expect(panel.node(before.nodeId)).toHaveAttribute('data-state', 'crashed');
  await expect(panel.node(before.nodeId)).toContainText(/killed by SIGKILL/i);
  const after = await panel.leader();
  expect(after.nodeId).not.toBe(before.nodeId);
  expect(after.term).toBeGreaterThan(before.term);
  await expect(window.getByTestId('health')).toContainText(`n${before.nodeId} is down`);
  expect(await panel.run('get survivor')).toContain('"yes"');
  await expect(window.getByTestId('failover-gap')).toHaveText(/^[\d.,]+ (ms|s)$/);
});

test('restart a dead node and see it catch up', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  const [follower] = panel.followersOf(nodeId);
  await panel.button(`Kill n${follower}`).click();
  await expect(panel.node(follower)).toHaveAttribute('data-state', 'crashed');
  for (let count = 0; count < 5; count += 1)
    expect(await panel.run(`set while-away-${count} x`)).toMatch(/OK/);
  const leaderCommit = Number(await panel.node(nodeId).getAttribute('data-commit'));
  await panel.button(`Restart n${follower}`).click();
  await expect(panel.node(follower)).toHaveAttribute('data-state', 'running');
  await expect
    .poll(async () => Number(await panel.node(follower).getAttribute('data-commit')))
    .toBeGreaterThanOrEqual(leaderCommit);
  await expect(panel.node(follower)).toHaveAttribute('data-role', 'follower');
  await expect(window.getByTestId('health')).toHaveText(/Healthy/);
});

test('a sync failure on a follower ends it with the reason on its card, and writes go on', async ({
  window,
}) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  const [follower] = panel.followersOf(nodeId);
  await panel.button(`More for n${follower}`).click();
  await window.getByRole('menuitem', { name: 'Disk' }).click();
  await window.getByRole('menuitem', { name: /^Every sync fails/ }).click();
  await expect(window.getByRole('menu')).toHaveCount(0);
  expect(await panel.run('set k v')).toMatch(/OK/);
  await expect(panel.node(follower)).toHaveAttribute('data-state', 'crashed');
  await expect(panel.node(follower)).toContainText(/disk failed/i);
  expect(await panel.run('set k w')).toMatch(/OK/);
  expect(await panel.run('heal')).toMatch(/all nodes up/);
  await panel.ready();
  expect(await panel.run('get k')).toContain('"w"');
});

test('a leader that is cut off is replaced, and steps down when the links are back', async ({ window }) => {
  const panel = new PanelPage(window);
  const before = await panel.ready();
  expect(await panel.run(`partition n${before.nodeId}`)).toMatch(/Partitioned/);
  const [first, second] = panel.followersOf(before.nodeId);
  await expect
    .poll(async () => {
      const roles = await Promise.all([first, second].map((id) => panel.node(id).getAttribute('data-role')));
      return roles.includes('leader');
    })
    .toBe(true);
  expect(await panel.run('set other-side yes')).toMatch(/OK/);
  await window.getByRole('button', { name: 'Heal all' }).click();
  const after = await panel.ready();
  expect(after.term).toBeGreaterThan(before.term);
  expect(await panel.run('get other-side')).toContain('"yes"');
});

test('a paused leader is replaced and follows when it is resumed', async ({ window }) => {
  const panel = new PanelPage(window);
  const before = await panel.ready();
  await panel.button(`Pause n${before.nodeId}`).click();
  await expect(panel.node(before.nodeId)).toHaveAttribute('data-state', 'paused');
  const after = await panel.leader();
  expect(after.nodeId).not.toBe(before.nodeId);
  await panel.button(`Resume n${before.nodeId}`).click();
  await expect(panel.node(before.nodeId)).toHaveAttribute('data-role', 'follower');
  await panel.ready();
});

test('step down hands leadership over in a higher term', async ({ window }) => {
  const panel = new PanelPage(window);
  const before = await panel.ready();
  await panel.button(`Step down n${before.nodeId}`).click();
  await expect(panel.node(before.nodeId)).toHaveAttribute('data-role', 'follower');
  const after = await panel.ready();
  expect(after.nodeId).not.toBe(before.nodeId);
  expect(after.term).toBeGreaterThan(before.term);
});

test('the load generator runs, is charted, and survives a kill without losing count', async ({ window }) => {
  const panel = new PanelPage(window);
  const { nodeId } = await panel.ready();
  expect(await panel.run('load 200 --clients 8')).toMatch(/8 clients/);
  await expect
    .poll(async () => Number((await window.getByTestId('operations').innerText()).replace(/[^\d]/g, '')))
    .toBeGreaterThan(50);
  await panel.button(`Kill n${nodeId}`).click();
  await expect(window.getByTestId('failover-gap')).toHaveText(/^[\d.,]+ (ms|s)$/);
  expect(await panel.run('load stop')).toMatch(/stopped/);
  await window.getByRole('tab', { name: 'Charts' }).click();
  await expect(window.locator('.recharts-surface').first()).toBeVisible();
});
