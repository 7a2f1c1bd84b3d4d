// The examples of docs/client.md, as they stand there: each must compile against the package's types, run against
// three real nodes, and print what its comments say.
import { readFile } from 'node:fs/promises';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../engine/client/client.ts';
import { ClientError } from '../../engine/client/client-error.ts';
import { type InProcessCluster, startCluster } from '../node/in-process-cluster.ts';

const page = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

let cluster: InProcessCluster;
let client: Client;
let addresses: string[];

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.elected();
  addresses = cluster.nodes.map(({ node }) => node.clientAddress);
  client = createClient({ addresses, deadlineMs: 20_000 });
});

afterAll(async () => {
  client.close();
  await cluster.close();
});

/** What a line of console.log is to print: in its own comment, or in comments of their own behind a loop. */
function announced(code: string): string[] {
  const lines: string[] = [];
  for (const line of code.split('\n')) {
    const own = /^\/\/ (.*)$/.exec(line)?.[1];
    const beside = /console\.log\(.*\);? *\/\/ (.*)$/.exec(line)?.[1];
    if (own !== undefined || beside !== undefined) lines.push(own ?? beside ?? '');
  }
  return lines;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'bigint'
    ? String(value)
    : JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? Number(each) : each));
}

async function run(code: string): Promise<string[]> {
  const printed: string[] = [];
  const console = { log: (...values: unknown[]) => void printed.push(values.map(shown).join(' ')) };
  // The addresses of the page are those of a cluster started by hand.
  const here = (options: Parameters<typeof createClient>[0]) =>
    createClient({
      ...options,
      addresses: options.addresses.includes('127.0.0.1:7001') ? addresses : options.addresses,
    });
  const body = code.replace(/^import .*$/gm, '');
  const { outputText } = ts.transpileModule(body, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  // A block of its own: an example may name its own client.
  const example = new AsyncFunction(
    'createClient',
    'ClientError',
    'console',
    'client',
    `{${outputText.replace(/^export \{\};$/m, '')}}`,
  );
  await example(here, ClientError, console, client);
  return printed;
}

describe('docs/client.md', () => {
  test('has examples', () => expect(examples.length).toBeGreaterThan(8));

  test.each(
    examples.map((code) => [
      code.split('\n').find((line) => line !== '' && !line.startsWith('import')),
      code,
    ]),
  )('prints what it says: %s', async (_first, code = '') => {
    expect(await run(code)).toEqual(announced(code));
  });

  test('compiles against the types that the package exports', () => {
    const root = new URL('../../', import.meta.url).pathname;
    const name = (at: number) => `${root}example-${at}.ts`;
    const sources = new Map(
      examples.map((code, at) => {
        const given = code.includes('const client =')
          ? ''
          : "declare const client: import('quorumlab').Client;\n";
        return [name(at), `${given}${code}\nexport {};\n`];
      }),
    );
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.Preserve,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      paths: { quorumlab: [`${root}engine/client/public.ts`] },
    };
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile } = host;
    host.fileExists = (file) => sources.has(file) || fileExists(file);
    host.getSourceFile = (file, version, ...rest) => {
      const text = sources.get(file);
      return text === undefined
        ? getSourceFile(file, version, ...rest)
        : ts.createSourceFile(file, text, version);
    };
    const program = ts.createProgram([...sources.keys()], options, host);
    const faults = [...sources.keys()].flatMap((file) => {
      const source = program.getSourceFile(file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    });
    expect(faults).toEqual([]);
  }, 60_000);
});
