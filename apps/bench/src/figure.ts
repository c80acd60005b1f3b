/** What one benchmark found: `ours` against `theirs`, the raw client's. */
export interface Figure {
  readonly name: string;
  /** Of `ours` and `theirs`, which are medians. */
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
  /** Median of `ours / theirs` over the pairs: what disturbs the machine for a while disturbs both sides of a pair. */
  readonly ratio: number;
  /** The lowest and the highest ratio of a pair. */
  readonly spread: readonly [lowest: number, highest: number];
  readonly pairs: number;
  /** In words; `met` says whether it is reached. */
  readonly target: string;
  readonly met: boolean;
  /** What a reader has to know of how it was measured. */
  readonly note?: string | undefined;
}

/** What a figure should come to. */
export interface Target {
  readonly text: string;
  met(figure: Pick<Figure, "ours" | "theirs" | "ratio">): boolean;
}

/** A ratio of at least `least`. */
export function atLeast(least: number): Target {
  return { text: `ratio >= ${least}`, met: ({ ratio }) => ratio >= least };
}

/** A ratio of at most `most`. */
export function atMost(most: number): Target {
  return { text: `ratio <= ${most}`, met: ({ ratio }) => ratio <= most };
}

/** Both sides, measured one after the other. */
export interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

/** How a figure is made. */
export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly target: Target;
  readonly pairs: number;
  /** Pairs before the first that counts, for compilers and caches. @default 1 */
  readonly warmUps?: number | undefined;
  readonly note?: string | undefined;
}

/** Measures ours, theirs, ours, theirs, …; `round` is -1 and below for those that do not count. */
export async function compare(
  comparison: Comparison,
  ours: (round: number) => number | Promise<number>,
  theirs: (round: number) => number | Promise<number>,
): Promise<Figure> {
  const { pairs, warmUps = 1 } = comparison;
  const measured: Pair[] = [];
  for (let round = -warmUps; round < pairs; round++) {
    const pair = { ours: await ours(round), theirs: await theirs(round) };
    if (round >= 0) measured.push(pair);
  }
  return figureOf(comparison, measured);
}

/** The figure that measured pairs come to. */
export function figureOf({ name, unit, target, note }: Omit<Comparison, "pairs">, measured: readonly Pair[]): Figure {
  const ratios = measured.map((pair) => pair.ours / pair.theirs);
  const figure = {
    ours: median(measured.map((pair) => pair.ours)),
    theirs: median(measured.map((pair) => pair.theirs)),
    ratio: median(ratios),
  };
  const spread = [Math.min(...ratios), Math.max(...ratios)] as const;
  return { name, unit, ...figure, spread, pairs: measured.length, target: target.text, met: target.met(figure), note };
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
