/** A message of the benchmarks. */
export interface Work {
  readonly index: number;
  readonly key: string;
  readonly note: string;
}

/** About as long as an order or a reading would be. */
const NOTE = "Delivered at the back door, signed for by the neighbour, to be collected again on the day after tomorrow.";

/** The message of an index, the same in every run: its key is one of `keys`, by a seeded random. */
export function workOf(index: number, keys: number): Work {
  return { index, key: `key-${Math.floor(random(index) * keys)}`, note: NOTE };
}

/** How long the handler of an index takes: 0 to 5 ms, by a seeded random. */
export function durationOf(index: number): number {
  return random(index ^ 0x5bd1e995) * 5;
}

/** The `seed`th number of a fixed row, from 0 up to 1 (splitmix32). */
function random(seed: number): number {
  let z = Math.imul(seed + 1, 0x9e3779b9);
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
}
