// Reads a CPU profile of Node.js (--cpu-prof) and says how much of a window of time went into which part of a node's
// work. A sample belongs to the innermost frame that is the engine's own code; what Node.js does below it counts as its.
import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `other`: clocks, statuses, whatever has no row of its own. */
export const STAGES = [
  'clients: read, parse, reply',
  'encode and decode commands',
  'consensus',
  'log on disk',
  'peers: send and receive',
  'apply',
  'garbage collection',
  'Node.js and the loop',
  'other',
] as const;
export type Stage = (typeof STAGES)[number];

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number };
  children?: readonly number[];
}

interface Profile {
  nodes: readonly ProfileNode[];
  /** Microseconds of the machine's monotonic clock. */
  startTime: number;
  samples: readonly number[];
  timeDeltas: readonly number[];
}

/** First match wins. Of sources, relative to `engine/`. */
const RULES: readonly [RegExp, Stage][] = [
  [/^(transport\/(peer-|outgoing|incoming|link|round-trip)|protocol\/peer-)/, 'peers: send and receive'],
  [/^(storage\/|node\/(node-disk|watchdog|snapshot))/, 'log on disk'],
  [/^(raft\/|node\/drive-loop)/, 'consensus'],
  [/^kv\//, 'apply'],
  [
    /^protocol\/(resp-set-entry|command|operation|frame|field|byte-|crc32|little)/,
    'encode and decode commands',
  ],
  [
    /^(transport\/|protocol\/(resp-|json-)|node\/(resp-|request-desk|waiting-writes|client))/,
    'clients: read, parse, reply',
  ],
];

/** Microseconds of the window in which the thread was not idle, by stage. `window`: of the monotonic clock, in microseconds. */
export async function readStages(
  file: string,
  window: { from: number; to: number },
): Promise<Record<Stage, number>> {
  const profile = JSON.parse(await readFile(file, 'utf8')) as Profile;
  const stageOf = await classify(profile.nodes);
  const stages = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  let at = profile.startTime;
  for (const [position, id] of profile.samples.entries()) {
    const elapsed = profile.timeDeltas[position] ?? 0;
    at += elapsed;
    const stage = stageOf.get(id) ?? null;
    if (at < window.from || at > window.to || stage === null) continue;
    stages[stage] += elapsed;
  }
  return stages;
}

/** By the id of a profile's node; null for idle. */
async function classify(nodes: readonly ProfileNode[]): Promise<Map<number, Stage | null>> {
  const sources = await openSources(nodes);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, Stage | null>();
  const visit = (node: ProfileNode, around: Stage): void => {
    const { functionName } = node.callFrame;
    let stage: Stage | null = around;
    if (functionName === '(idle)') stage = null;
    else if (functionName === '(garbage collector)') stage = 'garbage collection';
    else stage = stageOfSource(sources(node)) ?? around;
    stages.set(node.id, stage);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) visit(child, stage ?? around);
    }
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, 'Node.js and the loop');
  return stages;
}

function stageOfSource(source: string | null): Stage | null {
  if (source === null) return null;
  const [, inEngine] = /\/engine\/(.*)$/.exec(source) ?? [];
  // A library works for whoever called it.
  if (inEngine === undefined) return null;
  return RULES.find(([pattern]) => pattern.test(inEngine))?.[1] ?? 'other';
}

/** From a frame to the source it was built from; null for what is not ours. */
async function openSources(nodes: readonly ProfileNode[]): Promise<(node: ProfileNode) => string | null> {
  const urls = new Set(nodes.map(({ callFrame }) => callFrame.url).filter((url) => url.startsWith('file:')));
  const maps = new Map<string, SourceMap>();
  for (const url of urls) {
    const text = await readFile(`${fileURLToPath(url)}.map`, 'utf8').catch(() => null);
    if (text !== null) maps.set(url, new SourceMap(JSON.parse(text) as SourceMapPayload));
  }
  return ({ callFrame: { url, lineNumber, columnNumber } }) => {
    const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
    return entry !== undefined && 'originalSource' in entry ? `/${entry.originalSource}` : null;
  };
}
