import type { BatchLimits } from "./backlog.ts";

/**
 * What became of one attempt.
 * `"again"`: none was made, the entry keeps its place; `retryIn`: it waits that long in place, with its lane; `held`: it is settled when the
 * promise resolves, without taking up concurrency; `"blocked"`: it waits, with its lane, until it is released; `"stopped"`: so does all of its source.
 */
export type Verdict =
  | "done"
  | "again"
  | "blocked"
  | "stopped"
  | { readonly retryIn: number }
  | { readonly held: Promise<unknown> };

/** How many entries are worked on together. One lane's entries may stand in one batch, in their order. */
export interface Gathering extends BatchLimits {
  /** The most that a ready entry waits for others, in milliseconds. */
  readonly wait: number;
}
