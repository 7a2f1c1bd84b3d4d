// The node's disk in the inspector: what is wrong with it, its log, its snapshots, and what its last start found.
import type { DiskStatus, NodeStatus } from '../../../engine/protocol/node-status.ts';
import type { NodeView, RecoveryNote } from '../../shared/cluster-view.ts';
import { alarmAdvice, alarmSentence } from '../model/alarm-words.ts';
import { nodeName } from '../model/appearance.ts';
import { bytes, clockTime, count, milliseconds, UNKNOWN } from '../model/figures.ts';
import { recoveryWords, refetchWords } from '../model/recovery-words.ts';
import { useView } from '../store/panel-context.tsx';
import { Facts, Section } from './section.tsx';

export function AlarmsSection({ node }: { node: NodeView }) {
  const alarms = node.status?.alarms ?? [];
  const refetching = node.status?.raft.refetching ?? null;
  if (alarms.length === 0) return null;
  const name = nodeName(node.process.nodeId);
  return (
    <Section title={alarms.length === 1 ? 'Alarm' : 'Alarms'}>
      <ul className="grid gap-1.5" data-testid="alarms">
        {alarms.map((alarm) => (
          <li key={alarm}>
            <p className="font-medium text-bad">{alarmSentence(alarm, name)}</p>
            {alarm === 'refetching' && refetching !== null ? (
              <p className="font-medium">{refetchWords(refetching)}</p>
            ) : null}
            <p className="text-dim">{alarmAdvice(alarm)}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What the last start found and decided: kept until the next start, for it explains what the node does now. */
export function RecoverySection({ node }: { node: NodeView }) {
  const { status, process } = node;
  // Every node begins with an empty folder once; that is news only of one that had something in it.
  const recovery = node.recovery.filter(({ rule }) => rule !== 'W1' || process.restarts > 0);
  if (recovery.length === 0) return null;
  const back = status !== null && !status.alarms.includes('refetching');
  return (
    <Section title="Found at the last start" aside={back ? 'whole again' : undefined}>
      <ul className="grid gap-1.5" data-testid="recovery">
        {recovery.map((note) => (
          <Verdict key={`${note.at} ${note.message}`} note={note} />
        ))}
      </ul>
    </Section>
  );
}

function Verdict({ note }: { note: RecoveryNote }) {
  const { headline, detail } = recoveryWords(note);
  return (
    <li>
      <p className="flex items-baseline justify-between gap-2">
        <span className="font-medium">{headline}</span>
        <span className="shrink-0 font-mono text-small text-faint">[{note.rule}]</span>
      </p>
      <p className="selectable break-words text-dim">{detail}</p>
    </li>
  );
}

export function LogSection({ disk, keyspace }: { disk: DiskStatus; keyspace: NodeStatus['keyspace'] }) {
  const perSync = disk.syncsTotal === 0 ? UNKNOWN : (disk.entriesSyncedTotal / disk.syncsTotal).toFixed(1);
  const hangs = disk.syncInFlightMs > 100;
  return (
    <Section
      title="Write-ahead log"
      aside={
        hangs ? (
          <span className="text-bad">a sync runs for {milliseconds(disk.syncInFlightMs)}</span>
        ) : undefined
      }
    >
      <Facts
        facts={[
          ['Segments', count(disk.segments)],
          ['Size', bytes(disk.bytes)],
          ['Synced to', count(disk.syncedIndex)],
          ['Syncs', count(disk.syncsTotal)],
          ['Entries synced', count(disk.entriesSyncedTotal)],
          ['Entries/sync', perSync],
          ['Sync p50', milliseconds(disk.syncP50Ms)],
          ['Sync p99', milliseconds(disk.syncP99Ms)],
          ['Keys', count(keyspace.keys)],
          ['Data', bytes(keyspace.bytes)],
        ]}
      />
    </Section>
  );
}

export function SnapshotsSection({ nodeId, disk }: { nodeId: number; disk: DiskStatus }) {
  const { snapshots, snapshotWrittenBytes } = disk;
  const [newest] = snapshots;
  // As text, so that the feed's growth draws this section only when a time was found in it.
  const times = useView(({ feed }) =>
    snapshots.map(({ index }) => snapshotTime(feed, nodeId, index)).join(' '),
  ).split(' ');
  return (
    <Section
      title="Snapshots"
      aside={snapshotWrittenBytes === null ? undefined : `writing, ${bytes(snapshotWrittenBytes)}`}
    >
      <div data-testid="snapshots">
        {snapshotWrittenBytes === null ? null : (
          <Progress
            label={`Snapshot being taken on ${nodeName(nodeId)}`}
            // Its size is known at its end; the last one's is the best guess at it.
            done={snapshotWrittenBytes}
            total={newest?.sizeBytes ?? null}
          />
        )}
        {newest === undefined ? (
          <p className="text-dim">None yet. One is taken when the log has grown, or from the node's menu.</p>
        ) : (
          <table className="w-full text-right">
            <thead>
              <tr className="text-small text-faint">
                <th scope="col" className="text-left font-normal">
                  Up to index
                </th>
                <th scope="col" className="font-normal">
                  Term
                </th>
                <th scope="col" className="font-normal">
                  Size
                </th>
                <th scope="col" className="font-normal">
                  Taken
                </th>
              </tr>
            </thead>
            <tbody>
              {snapshots.map(({ index, term, sizeBytes }, position) => (
                <tr key={index} className={position === 0 ? 'align-baseline' : 'align-baseline text-dim'}>
                  <td className="text-left font-medium">{count(index)}</td>
                  <td>{count(term)}</td>
                  <td>{bytes(sizeBytes)}</td>
                  <td>{times[position] === '0' ? 'earlier' : clockTime(Number(times[position]))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Section>
  );
}

/** When this session saw it appear, in milliseconds since the epoch; 0 when it is older than the feed. */
function snapshotTime(
  feed: readonly { at: number; source: string; nodeId: number | null }[],
  nodeId: number,
  index: number,
): number {
  const found = feed.findLast((item) => {
    if (item.nodeId !== nodeId || !('event' in item)) return false;
    const event = item.event as { type: string; index?: number };
    return (event.type === 'snapshotTaken' || event.type === 'snapshotInstalled') && event.index === index;
  });
  return found === undefined ? 0 : Math.floor(found.at);
}

/** `total` null: nobody knows how much there is to do. */
export function Progress({ label, done, total }: { label: string; done: number; total: number | null }) {
  const share = total === null || total === 0 ? null : Math.min(1, done / total);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
      className="my-1 h-1.5 overflow-hidden rounded-full bg-sunken"
    >
      <div
        className="h-full rounded-full bg-accent transition-[width] duration-150 motion-reduce:transition-none"
        style={{ width: share === null ? '100%' : `${share * 100}%`, opacity: share === null ? 0.4 : 1 }}
      />
    </div>
  );
}
