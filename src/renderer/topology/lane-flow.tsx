// What flows on one lane: entries as comets whose thickness follows their rate, heartbeats as faint dots. The
// pattern moves by transform alone, so that the compositor does it and a busy window still moves smoothly.
import { memo } from 'react';
import type { LaneState } from '../model/links.ts';
import type { Point } from '../model/topology-layout.ts';
import { laneWidth, SILENT } from '../model/traffic.ts';
import { usePulses } from '../store/panel-context.tsx';

export interface LaneFlowProps {
  lane: LaneState;
  start: Point;
  end: Point;
}

export const LaneFlow = memo(function LaneFlow({ lane, start, end }: LaneFlowProps) {
  const width = usePulses((pulses) =>
    laneWidth((pulses[lane.from]?.lanes.get(lane.to) ?? SILENT).entriesPerSecond),
  );
  const beats = usePulses((pulses) => {
    const traffic = pulses[lane.from]?.lanes.get(lane.to) ?? SILENT;
    return traffic.heartbeatsPerSecond + traffic.acknowledgementsPerSecond > 0;
  });
  if (lane.cut || (!beats && width === 0)) return null;
  const angle = Math.atan2(end.y - start.y, end.x - start.x);
  return (
    <div
      className="flow"
      data-slow={lane.delayMs > 0}
      style={{
        width: Math.hypot(end.x - start.x, end.y - start.y),
        transform: `translate(${start.x}px, ${start.y - 5}px) rotate(${angle}rad)`,
      }}
    >
      {beats ? <div className="flow-heartbeats" /> : null}
      {width > 0 ? <div className="flow-entries" style={{ height: width, top: 5 - width / 2 }} /> : null}
    </div>
  );
});
