// The sign of a role: a shape with a letter in the role's colour. Decoration: the word stands beside it.
import { APPEARANCE_STYLES, type Appearance, type Shape } from '../model/appearance.ts';

const OUTLINES: Record<Exclude<Shape, 'circle' | 'ring'>, string> = {
  hexagon: 'M12 1.5 21.1 6.75v10.5L12 22.5 2.9 17.25V6.75z',
  diamond: 'M12 1 23 12 12 23 1 12z',
  triangle: 'M12 1.8 23 21.4H1z',
  square: 'M5.5 2.5h13a3 3 0 0 1 3 3v13a3 3 0 0 1-3 3h-13a3 3 0 0 1-3-3v-13a3 3 0 0 1 3-3z',
  cross: 'M7.2 2.2h9.6l5 5v9.6l-5 5H7.2l-5-5V7.2z',
};

const HOLLOW: ReadonlySet<Appearance> = new Set(['crashed', 'stopped', 'starting', 'learner', 'outside']);

export function RoleGlyph({ appearance, size }: { appearance: Appearance; size: number }) {
  const { shape, letter, colour } = APPEARANCE_STYLES[appearance];
  const hollow = HOLLOW.has(appearance);
  const paint = {
    fill: hollow ? 'transparent' : colour,
    stroke: colour,
    strokeWidth: 1.6,
    strokeDasharray: shape === 'ring' ? '3 2.4' : undefined,
  };
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" className="shrink-0">
      {shape === 'circle' || shape === 'ring' ? (
        <circle cx="12" cy="12" r="10.4" {...paint} />
      ) : (
        <path d={OUTLINES[shape]} strokeLinejoin="round" {...paint} />
      )}
      <Letter letter={letter} appearance={appearance} hollow={hollow} colour={colour} />
    </svg>
  );
}

function Letter(props: { letter: string; appearance: Appearance; hollow: boolean; colour: string }) {
  const { letter, appearance, hollow, colour } = props;
  if (appearance === 'crashed' || appearance === 'stopped') {
    return <path d="m8.4 8.4 7.2 7.2m0-7.2-7.2 7.2" stroke={colour} strokeWidth="2" strokeLinecap="round" />;
  }
  return (
    <text
      x="12"
      y={appearance === 'candidate' ? 18.2 : 16.3}
      textAnchor="middle"
      fontSize="11.5"
      fontWeight="700"
      fill={hollow ? colour : 'var(--surface)'}
    >
      {letter}
    </text>
  );
}
