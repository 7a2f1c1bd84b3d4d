// Election messages flying along the links, one sign each. Built past React with the browser's own animations,
// so that a storm of them costs no render; bounded, and absent when less motion is wanted.
import { useEffect, useRef } from 'react';
import type { ClusterItem } from '../../shared/cluster-view.ts';
import { EMPTY_PLAN, type Flight, planFlights } from '../model/flights.ts';
import { linkStates } from '../model/links.ts';
import type { Point, TopologyLayout } from '../model/topology-layout.ts';
import { useReducedMotion } from '../parts/use-reduced-motion.ts';
import { usePanel } from '../store/panel-context.tsx';

const SIGNS: Record<Flight['message'], { text: string; colour: string }> = {
  PreVote: { text: 'P?', colour: 'var(--pre-candidate)' },
  PreVoteResponse: { text: 'P', colour: 'var(--pre-candidate)' },
  RequestVote: { text: 'V?', colour: 'var(--candidate)' },
  RequestVoteResponse: { text: 'V', colour: 'var(--candidate)' },
  TimeoutNow: { text: 'Go', colour: 'var(--leader)' },
};

export function FlightLayer({ layout }: { layout: TopologyLayout }) {
  const { cluster } = usePanel();
  const layer = useRef<HTMLDivElement>(null);
  const current = useRef(layout);
  current.current = layout;
  const calm = useReducedMotion();

  useEffect(() => {
    const element = layer.current;
    if (element === null || calm || typeof element.animate !== 'function') return;
    let plan = EMPTY_PLAN;
    const unsubscribe = cluster.onItems((items) => {
      const events = items.filter(isEventItem).map(({ event }) => event);
      if (events.length === 0) return;
      const planned = planFlights(plan, events, {
        nowMs: performance.now(),
        inAir: element.childElementCount,
      });
      plan = planned.plan;
      const { view } = cluster.store.getState();
      const links = view === null ? [] : linkStates(view.nodes);
      for (const flight of planned.flights) {
        const link = links.find(
          ({ a, b }) => Math.min(flight.from, flight.to) === a && Math.max(flight.from, flight.to) === b,
        );
        const lane = link?.forward.from === flight.from ? link.forward : link?.backward;
        launch(element, flight, current.current, lane?.cut === true);
      }
    });
    return () => {
      unsubscribe();
      element.replaceChildren();
    };
  }, [cluster, calm]);

  return <div ref={layer} className="topology-layer" aria-hidden="true" />;
}

function isEventItem(item: ClusterItem): item is Extract<ClusterItem, { type: 'event' }> {
  return item.type === 'event';
}

function launch(layer: HTMLElement, flight: Flight, layout: TopologyLayout, lost: boolean): void {
  const link = layout.links.find(
    ({ a, b }) => (a === flight.from && b === flight.to) || (a === flight.to && b === flight.from),
  );
  if (link === undefined) return;
  const { start, end } = link.a === flight.from ? link.forward : link.backward;
  const sign = signOf(flight);
  layer.append(sign);
  const reached = lost ? between(start, end, 0.42) : end;
  const animation = sign.animate(
    [
      { transform: at(start), opacity: 0 },
      { transform: at(between(start, reached, 0.15)), opacity: 1, offset: 0.15 },
      { transform: at(between(start, reached, 0.85)), opacity: 1, offset: 0.85 },
      { transform: at(reached), opacity: 0 },
    ],
    {
      delay: Math.max(0, flight.startMs - performance.now()),
      duration: flight.durationMs * (lost ? 0.7 : 1),
      easing: 'linear',
      fill: 'both',
    },
  );
  animation.onfinish = () => sign.remove();
  animation.oncancel = () => sign.remove();
}

function between(start: Point, end: Point, share: number): Point {
  return { x: start.x + (end.x - start.x) * share, y: start.y + (end.y - start.y) * share };
}

function at({ x, y }: Point): string {
  return `translate(${x}px, ${y}px)`;
}

/** A question is hollow; an answer is filled and says yes or no. */
function signOf({ message, granted }: Flight): HTMLElement {
  const { text, colour } = SIGNS[message];
  const answer = granted === null ? '' : granted ? '✓' : '✕';
  const sign = document.createElement('div');
  sign.className = 'flight';
  sign.dataset.filled = String(granted !== null || message === 'TimeoutNow');
  sign.style.setProperty('--sign', granted === null ? colour : granted ? 'var(--leader)' : 'var(--dead)');
  sign.textContent = text + answer;
  return sign;
}
