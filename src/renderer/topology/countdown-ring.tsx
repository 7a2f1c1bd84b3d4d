// The election countdown around a node's sign. Drawn frame by frame past React, from the node's own timer.
import { useEffect, useRef } from 'react';
import type { NodeId } from '../../../engine/raft/types.ts';
import { APPEARANCE_STYLES, type Appearance } from '../model/appearance.ts';
import { countdownAt } from '../model/countdown.ts';
import { RoleGlyph } from '../parts/role-glyph.tsx';
import { useReducedMotion } from '../parts/use-reduced-motion.ts';
import { usePanel } from '../store/panel-context.tsx';

const RADIUS = 20;
const LENGTH = 2 * Math.PI * RADIUS;
/** A node that has fallen silent sends no status that would empty its ring. */
const STALE_CHECK_MS = 500;

export function CountdownRing({ nodeId, appearance }: { nodeId: NodeId; appearance: Appearance }) {
  const { pulses } = usePanel();
  const arc = useRef<SVGCircleElement>(null);
  const calm = useReducedMotion();
  const counts = appearance === 'follower' || appearance === 'preCandidate' || appearance === 'candidate';

  useEffect(() => {
    const element = arc.current;
    if (element === null || !counts) return;
    let frame = 0;
    const draw = () => {
      frame = 0;
      const pulse = pulses.getState()[nodeId];
      const countdown = pulse === undefined ? null : countdownAt(pulse, performance.now());
      element.style.strokeDashoffset = String(LENGTH * (1 - (countdown?.remaining ?? 0)));
      // Frames only while the timer runs; otherwise the next status draws.
      if (countdown?.runs === true && !calm) frame = requestAnimationFrame(draw);
    };
    draw();
    const fading = setInterval(draw, STALE_CHECK_MS);
    const unsubscribe = pulses.subscribe((state, before) => {
      if (state[nodeId] !== before[nodeId] && frame === 0) draw();
    });
    return () => {
      unsubscribe();
      clearInterval(fading);
      cancelAnimationFrame(frame);
    };
  }, [pulses, nodeId, counts, calm]);

  const { colour } = APPEARANCE_STYLES[appearance];
  return (
    <div className="countdown">
      <svg viewBox="0 0 46 46" width="46" height="46" aria-hidden="true">
        <circle cx="23" cy="23" r={RADIUS} className="countdown-track" />
        {counts ? (
          <circle
            ref={arc}
            cx="23"
            cy="23"
            r={RADIUS}
            className="countdown-arc"
            style={{ stroke: colour }}
            strokeDasharray={LENGTH}
            strokeDashoffset={LENGTH}
            transform="rotate(-90 23 23)"
          />
        ) : null}
        {appearance === 'leader' ? (
          <circle cx="23" cy="23" r={RADIUS} className="countdown-arc" style={{ stroke: colour }} />
        ) : null}
      </svg>
      <span className="countdown-glyph">
        <RoleGlyph appearance={appearance} size={25} />
      </span>
    </div>
  );
}
