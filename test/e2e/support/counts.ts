import { type Board, type BoardPanel, boards, panelsOf, type Target } from '../../dashboards/boards.js';
import type { Series } from './archive.js';

export type Counts = Readonly<Record<string, number>>;

/** How many of a list there are of each kind; `by` says which kind, `size` how much one counts. */
export function tally<T>(list: readonly T[], by: (one: T) => string, size: (one: T) => number = () => 1): Counts {
  const counts: Record<string, number> = {};
  for (const one of list) counts[by(one)] = (counts[by(one)] ?? 0) + size(one);
  return counts;
}

/** What the points of each series come to; series that stay at 0 are left out. */
export const sums = (found: readonly Series[], by: readonly string[]): Counts => {
  const points = found.flatMap(({ labels, values }) =>
    values.map(([, value]) => ({ name: by.map(label => labels[label] ?? '').join(' '), value })),
  );
  const all = tally(
    points,
    ({ name }) => name,
    ({ value }) => value,
  );
  return Object.fromEntries(Object.entries(all).filter(([, sum]) => sum > 0));
};

/** A panel by its title, and one of its queries. */
export const panelNamed = (
  uid: string,
  title: string,
  refId = 'A',
  among: readonly Board[] = boards,
): readonly [BoardPanel, Target] => {
  const panel = among
    .filter(board => board.uid === uid)
    .flatMap(panelsOf)
    .find(one => one.title === title);
  const target = panel?.targets?.find(one => one.refId === refId);
  if (panel === undefined || target === undefined) throw new Error(`There is no panel ${title} ${refId}`);
  return [panel, target];
};
