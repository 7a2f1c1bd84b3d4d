// The built package as somebody else's project sees it: what can be imported, and with which types.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuild } from '../../scripts/lib/prepare.mjs';

const run = promisify(execFile);
let project: string;

beforeAll(async () => {
  await ensureBuild();
  project = await mkdtemp(join(tmpdir(), 'quorumlab-consumer-'));
  await mkdir(join(project, 'node_modules'));
  await symlink(resolve('.'), join(project, 'node_modules', 'quorumlab'));
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
});

afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

test('`import` gives the client, and nothing of the engine', async () => {
  const code = "import('quorumlab').then((names) => console.log(Object.keys(names).sort().join()))";
  const { stdout } = await run(process.execPath, ['-e', code], { cwd: project });
  expect(stdout.trim()).toBe('ClientError,createClient');
  const inside = "import('quorumlab/engine/node/node.ts').catch((error) => console.log(error.code))";
  expect((await run(process.execPath, ['-e', inside], { cwd: project })).stdout.trim()).toBe(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  );
});

test('its types accept what works and refuse what does not', async () => {
  const options = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: [] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
  await writeFile(
    join(project, 'index.ts'),
    `import { type Client, ClientError, createClient, type WatchEvent } from 'quorumlab';
const client: Client = createClient({ addresses: ['127.0.0.1:7001'] });
const { value } = await client.get('k');
// @ts-expect-error: it may be anything
const text: string = value;
// @ts-expect-error: no such operation
await client.txn({ success: [{ command: 'fly' }] });
for await (const event of client.watch({ prefix: 'k' })) {
  const known: WatchEvent = event;
  // @ts-expect-error: no such member
  known.nothing;
}
export { ClientError, text };
`,
  );
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});
