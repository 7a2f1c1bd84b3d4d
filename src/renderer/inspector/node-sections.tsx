// What surrounds the node's Raft: its links, its faults and its process. Its disk is in disk-sections.tsx.
import { X } from 'lucide-react';
import type { LinkStatus, NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeView, ProcessView } from '../../shared/cluster-view.ts';
import { nodeName } from '../model/appearance.ts';
import { diskFaultWords, linkFaultWords } from '../model/fault-words.ts';
import { bytes, count, duration, milliseconds, shortCount, UNKNOWN } from '../model/figures.ts';
import { NodeTag } from '../parts/node-tag.tsx';
import { useActions } from '../store/panel-context.tsx';
import { Facts, Section } from './section.tsx';

export function FaultsSection({ node }: { node: NodeView }) {
  const actions = useActions();
  const { nodeId } = node.process;
  const chips = [
    ...node.disk.map((fault) => ({ id: fault.id, words: diskFaultWords(fault) })),
    ...node.links.map((fault) => ({ id: fault.id, words: linkFaultWords(fault) })),
  ];
  if (chips.length === 0) return null;
  return (
    <Section title="Faults in force">
      <ul className="flex flex-wrap gap-1.5">
        {chips.map(({ id, words }) => (
          <li key={id} className="chip max-w-full pr-0.5" data-tone="warn">
            <span className="truncate">{words}</span>
            <button
              type="button"
              className="grid size-4 shrink-0 place-items-center rounded-full hover:bg-hover"
              aria-label={`Remove fault: ${words}`}
              onClick={() => void actions.removeFault(nodeId, id)}
            >
              <X size={11} />
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function LinksSection({ links }: { links: readonly LinkStatus[] }) {
  return (
    <Section title="Links" aside="sent by this node">
      <table className="w-full text-right">
        <thead>
          <tr className="text-small text-faint">
            <th scope="col" className="text-left font-normal">
              To
            </th>
            <th scope="col" className="text-left font-normal">
              Connection
            </th>
            <th scope="col" className="font-normal">
              Round trip
            </th>
            <th scope="col" className="font-normal">
              Entries
            </th>
            <th scope="col" className="font-normal">
              Bytes
            </th>
            <th scope="col" className="font-normal">
              Lost
            </th>
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <tr key={link.peer} className="align-baseline" title={`${bytes(link.queuedBytes)} queued`}>
              <td className="text-left">
                <NodeTag nodeId={link.peer} />
              </td>
              <td className={`text-left ${link.connected ? 'text-dim' : 'text-bad'}`}>
                {link.connected ? 'open' : 'down'}
              </td>
              <td>{link.roundTripMs === null ? UNKNOWN : milliseconds(link.roundTripMs)}</td>
              <td>{shortCount(link.entriesSent)}</td>
              <td>{bytes(link.bytesSent)}</td>
              <td className={link.dropped > 0 ? 'text-warn' : 'text-faint'}>{shortCount(link.dropped)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const STATE_WORDS: Record<ProcessView['state'], string> = {
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  crashed: 'dead',
  stopped: 'stopped',
};

export function ProcessSection({ process, status }: { process: ProcessView; status: NodeStatus | null }) {
  const alive = status !== null && process.pid !== 0;
  return (
    <Section title="Process" aside={STATE_WORDS[process.state]}>
      <Facts
        facts={[
          ['Pid', process.pid === 0 ? UNKNOWN : String(process.pid)],
          ['Memory', alive ? bytes(status.process.residentBytes) : UNKNOWN],
          ['Uptime', alive ? duration(status.process.uptimeMs) : UNKNOWN],
          ['Restarts', count(process.restarts)],
        ]}
      />
      <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <Line name="Clients" value={process.clientAddress} />
        <Line name="Peers" value={process.peerAddress} />
        <Line name="Folder" value={process.dataDir} />
        {process.exit === null ? null : <Line name="Last exit" value={exitWords(process)} />}
      </dl>
    </Section>
  );
}

function exitWords({ exit }: ProcessView): string {
  if (exit === null) return UNKNOWN;
  const how = exit.signal ?? (exit.code === null ? '' : `code ${exit.code}`);
  return how === '' || exit.reason.includes(how) ? exit.reason : `${exit.reason} (${how})`;
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-faint">{name}</dt>
      <dd className="selectable truncate text-right font-medium" title={value}>
        {value === '' ? UNKNOWN : value}
      </dd>
    </>
  );
}

export function LastWordsNote({ process }: { process: ProcessView }) {
  return (
    <p className="border-b border-line bg-sunken px-4 py-2 text-dim">
      {nodeName(process.nodeId)} is {STATE_WORDS[process.state]}. Below is the last it said.
    </p>
  );
}
