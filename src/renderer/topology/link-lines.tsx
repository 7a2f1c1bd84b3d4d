// A link as two thin lanes, whole, slow, cut or dead. What flows on them is lane-flow.tsx's.
import { memo } from 'react';
import type { LaneState, LinkState } from '../model/links.ts';
import type { PlacedLink, Point } from '../model/topology-layout.ts';

export interface LinkLinesProps {
  link: LinkState;
  placed: PlacedLink;
  onPick: (key: string) => void;
}

export const LinkLines = memo(function LinkLines({ link, placed, onPick }: LinkLinesProps) {
  const { forward, backward } = placed;
  const alive = link.runs.a && link.runs.b;
  const pick = () => onPick(`${link.a}-${link.b}`);
  return (
    <g className="link">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a larger target for the pointer; the label in the middle is the button. */}
      <path
        className="link-target"
        d={lineOf(forward.start, forward.end)}
        onClick={pick}
        onContextMenu={(event) => {
          event.preventDefault();
          pick();
        }}
      />
      <Lane lane={link.forward} ends={forward} alive={alive} />
      <Lane lane={link.backward} ends={backward} alive={alive} />
    </g>
  );
});

function lineOf(start: Point, end: Point): string {
  return `M${start.x} ${start.y}L${end.x} ${end.y}`;
}

interface LaneProps {
  lane: LaneState;
  ends: { start: Point; end: Point };
  alive: boolean;
}

function Lane({ lane, ends: { start, end }, alive }: LaneProps) {
  const condition = lane.cut ? 'cut' : !alive ? 'dead' : lane.delayMs > 0 || lane.loss > 0 ? 'slow' : 'whole';
  return (
    <g data-condition={condition} className="lane">
      {lane.cut ? <CutLane start={start} end={end} /> : <path className="lane-line" d={lineOf(start, end)} />}
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
      <path className="lane-line" d={`${lineOf(start, near)}${lineOf(far, end)}`} />
      <path className="lane-cut" d={tick(near) + tick(far)} />
    </>
  );
}
