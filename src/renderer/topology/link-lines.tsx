// The links as lines: two lanes each, what flows on them, and where they are cut. Drawn below the cards.
import { memo } from 'react';
import type { LaneState, LinkState } from '../model/links.ts';
import type { PlacedLink, Point } from '../model/topology-layout.ts';
import { laneWidth, SILENT } from '../model/traffic.ts';
import { usePulses } from '../store/panel-context.tsx';

export interface LinkLinesProps {
  link: LinkState;
  placed: PlacedLink;
  /** Whether the end with the lower and the higher id can send. */
  alive: readonly [boolean, boolean];
  onPick: () => void;
}

export const LinkLines = memo(function LinkLines({ link, placed, alive, onPick }: LinkLinesProps) {
  const { forward, backward } = placed;
  const outline = `M${forward.start.x} ${forward.start.y}L${forward.end.x} ${forward.end.y}`;
  return (
    <g className="link">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a larger target for the pointer; the label in the middle is the button. */}
      <path
        className="link-target"
        d={outline}
        onClick={onPick}
        onContextMenu={(event) => {
          event.preventDefault();
          onPick();
        }}
      />
      <Lane lane={link.forward} ends={forward} alive={alive[0] && alive[1]} sending={alive[0]} />
      <Lane lane={link.backward} ends={backward} alive={alive[0] && alive[1]} sending={alive[1]} />
    </g>
  );
});

interface LaneProps {
  lane: LaneState;
  ends: { start: Point; end: Point };
  alive: boolean;
  sending: boolean;
}

function Lane({ lane, ends, alive, sending }: LaneProps) {
  const traffic = usePulses((pulses) => pulses[lane.from]?.lanes.get(lane.to) ?? SILENT);
  const { start, end } = ends;
  const line = `M${start.x} ${start.y}L${end.x} ${end.y}`;
  const condition = lane.cut ? 'cut' : !alive ? 'dead' : lane.delayMs > 0 || lane.loss > 0 ? 'slow' : 'whole';
  const flows = sending && alive && !lane.cut;
  const width = laneWidth(traffic.entriesPerSecond);
  return (
    <g data-condition={condition} className="lane">
      {lane.cut ? <CutLane start={start} end={end} /> : <path className="lane-line" d={line} />}
      {flows && traffic.heartbeatsPerSecond + traffic.acknowledgementsPerSecond > 0 ? (
        <path className="lane-heartbeats" d={line} />
      ) : null}
      {flows && width > 0 ? <path className="lane-entries" d={line} style={{ strokeWidth: width }} /> : null}
    </g>
  );
}

/** A lane with its middle missing, and a stroke across each end of the gap. */
function CutLane({ start, end }: { start: Point; end: Point }) {
  const at = (share: number) => ({
    x: start.x + (end.x - start.x) * share,
    y: start.y + (end.y - start.y) * share,
  });
  const length = Math.hypot(end.x - start.x, end.y - start.y) || 1;
  const half = Math.min(0.5, 46 / length);
  const [near, far] = [at(0.5 - half), at(0.5 + half)];
  const across = { x: (-(end.y - start.y) / length) * 6, y: ((end.x - start.x) / length) * 6 };
  const tick = (point: Point) =>
    `M${point.x - across.x} ${point.y - across.y}L${point.x + across.x} ${point.y + across.y}`;
  return (
    <>
      <path
        className="lane-line"
        d={`M${start.x} ${start.y}L${near.x} ${near.y}M${far.x} ${far.y}L${end.x} ${end.y}`}
      />
      <path className="lane-cut" d={tick(near) + tick(far)} />
    </>
  );
}
