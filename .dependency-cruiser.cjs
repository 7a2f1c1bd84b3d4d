// Who may import whom, as engine/ARCHITECTURE.md says it. Each folder of the engine and the panel has one rule
// that lists everything it may reach; whatever is not listed is forbidden.

const TYPE_ONLY = ['type-only'];

/** Where the paper's words live: its few constants (EntryKind) go wherever raft's types may go. */
const RAFT_VOCABULARY = '^engine/raft/types\\.ts$';

/** Own folder, plus `values` (any import) and `types` (only `import type`), plus npm packages by name. */
function allow(folder, { values = [], types = [], packages = [], core = false, why }) {
  const inside = `^${folder}/`;
  const npm = packages.map((name) => `(^|/)node_modules/(@types/)?${name}(/|$)`);
  const rules = [
    {
      name: `${folder.replaceAll('/', '-')}-layer`,
      comment: why,
      severity: 'error',
      from: { path: inside },
      to: { path: '^(engine|src|test|scripts)/', pathNot: [inside, ...values, ...types] },
    },
    {
      name: `${folder.replaceAll('/', '-')}-packages`,
      comment: `${folder} uses only the npm packages listed for it in .dependency-cruiser.cjs.`,
      severity: 'error',
      from: { path: inside },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'], pathNot: npm },
    },
  ];
  if (types.length > 0) {
    rules.push({
      name: `${folder.replaceAll('/', '-')}-types-only`,
      comment: `${why} From these folders only types: write \`import type\`.`,
      severity: 'error',
      from: { path: inside },
      to: { path: types, pathNot: [...values, RAFT_VOCABULARY], dependencyTypesNot: TYPE_ONLY },
    });
  }
  if (!core) {
    rules.push({
      name: `${folder.replaceAll('/', '-')}-no-node`,
      comment: `${folder} does no I/O and imports no Node.js module.`,
      severity: 'error',
      from: { path: inside },
      to: { dependencyTypes: ['core'] },
    });
  }
  return rules;
}

const raft = '^engine/raft/';
const kv = '^engine/kv/';
const protocol = '^engine/protocol/';
const checker = '^engine/checker/';
const simulator = '^engine/simulator/';
const storage = '^engine/storage/';
const transport = '^engine/transport/';
const client = '^engine/client/';
/** The public way to start a node inside this process; the rest of engine/node is its own. */
const startNode = '^engine/node/(node|node-config|host-codecs)\\.ts$';

const engine = [
  allow('engine/raft', { why: 'raft imports nothing.' }),
  allow('engine/protocol', { types: [raft], why: 'protocol knows raft by its types.' }),
  allow('engine/kv', {
    values: [protocol],
    types: [raft],
    packages: ['sorted-btree'],
    why: 'kv stands on protocol and on the types of raft.',
  }),
  allow('engine/checker', {
    values: [protocol],
    types: [raft, kv],
    why: 'checker judges from outside: protocol, and the types of raft and kv.',
  }),
  allow('engine/simulator', {
    values: [raft, kv, protocol, checker],
    why: 'simulator runs the pure folders and nothing else.',
  }),
  allow('engine/storage', {
    values: [protocol],
    types: [raft, kv],
    packages: ['pino'],
    core: true,
    why: 'storage stands on protocol and types.',
  }),
  allow('engine/transport', {
    values: [protocol],
    types: [raft, kv],
    packages: ['pino', 'prom-client'],
    core: true,
    why: 'transport stands on protocol and types.',
  }),
  allow('engine/node', {
    values: [raft, kv, protocol, storage, transport],
    packages: ['pino', 'prom-client', 'hdr-histogram-js', 'zod', 'env-paths'],
    core: true,
    why: 'node composes raft, kv, protocol, storage and transport.',
  }),
  allow('engine/client', {
    values: [protocol],
    packages: ['zod'],
    core: true,
    why: 'client knows the engine only by its protocol.',
  }),
  allow('engine/cli', {
    values: [client, protocol, checker, startNode, storage, '^engine/bench/'],
    types: [kv],
    packages: [
      'commander',
      'cli-table3',
      'picocolors',
      'hdr-histogram-js',
      'env-paths',
      'get-port',
      'pidusage',
      'zod',
    ],
    core: true,
    why: 'cli talks through client; storage is for `quorumlab wal` alone.',
  }),
  allow('engine/bench', {
    values: [client, protocol, checker, startNode],
    types: [kv, storage],
    packages: ['hdr-histogram-js', 'get-port', 'pidusage', 'picocolors', 'cli-table3'],
    core: true,
    why: 'bench measures through client.',
  }),
  allow('engine/chaos', {
    values: [
      client,
      protocol,
      checker,
      '^engine/cli/node-process\\.ts$',
      '^engine/simulator/(random|checkers/counters)\\.ts$',
    ],
    core: true,
    why: 'chaos drives node processes from outside, and judges with the checkers.',
  }),
].flat();

const panel = [
  allow('src/shared', {
    types: [raft, kv, protocol],
    packages: ['zod'],
    why: 'the contract knows the engine by its types.',
  }),
  allow('src/main', {
    values: ['^src/shared/', client],
    types: [raft, kv, protocol],
    packages: ['electron', 'ws', 'zod', 'pino', 'get-port', 'env-paths', 'pidusage', 'hdr-histogram-js'],
    core: true,
    why: 'main knows the engine by client and by types; it never builds a Raft.',
  }),
  allow('src/preload', {
    values: ['^src/shared/'],
    packages: ['electron'],
    why: 'preload is a bridge without logic.',
  }),
  allow('src/renderer', {
    values: ['^src/shared/', simulator, checker],
    types: [raft, kv, protocol],
    packages: [
      'react',
      'react-dom',
      'react-is',
      'zustand',
      'recharts',
      'radix-ui',
      'lucide-react',
      'cmdk',
      'sonner',
      'react-resizable-panels',
      '@tanstack/react-virtual',
      'tailwindcss',
      'zod',
    ],
    why: 'renderer stands on the contract, and on the pure simulator and checker.',
  }),
].flat();

module.exports = {
  forbidden: [
    ...engine,
    ...panel,
    {
      name: 'no-circular',
      comment: 'Two modules that import each other are one module.',
      severity: 'error',
      from: { path: '^(engine|src)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: TYPE_ONLY } },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'electron-only-at-the-desktop-edge',
      comment: 'cluster/ and the browser host run without Electron: importing it there starts a download.',
      severity: 'error',
      from: { path: ['^engine/', '^src/shared/', '^src/renderer/', '^src/main/(cluster/|serve)'] },
      to: { path: '(^|/)node_modules/electron(/|$)' },
    },
    {
      name: 'browser-host-never-reaches-electron',
      comment: 'Nothing that src/main/serve.ts or src/main/cluster reaches may load Electron.',
      severity: 'error',
      from: { path: ['^src/main/serve\\.ts$', '^src/main/cluster/', '^engine/'] },
      to: { path: '(^|/)node_modules/electron(/|$)', reachable: true },
    },
    {
      name: 'not-resolvable',
      comment: 'An import that leads nowhere: a typing mistake, or a package missing from package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'not-to-undeclared-package',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(out|test-results)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.tsx', '.d.ts', '.mjs', '.js', '.cjs', '.json', '.css'],
    },
  },
};
