// What the signs of the topology mean.
import { APPEARANCE_STYLES, type Appearance } from '../model/appearance.ts';
import { RoleGlyph } from '../parts/role-glyph.tsx';

const SHOWN: readonly Appearance[] = [
  'leader',
  'follower',
  'learner',
  'preCandidate',
  'candidate',
  'crashed',
];

export function Legend() {
  return (
    <ul className="legend" aria-label="Signs of the roles">
      {SHOWN.map((appearance) => (
        <li key={appearance}>
          <RoleGlyph appearance={appearance} size={13} />
          {APPEARANCE_STYLES[appearance].word}
        </li>
      ))}
    </ul>
  );
}
