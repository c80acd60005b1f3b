import { weigh } from "../binding.ts";
import type { Delivery } from "../message.ts";
import type { Incoming } from "../transport.ts";
import type { LiveDelivery } from "./delivery.ts";
import type { SourceWindow } from "./window.ts";

/**
 * - `queued`: waits for its turn;
 * - `running`: its handler runs;
 * - `held`: no handler runs, but something is under way that settles it (a dead letter is being written);
 * - `waiting`: for its next attempt, by a timer or until it is released;
 * - `over`: nothing more happens to it here.
 */
export type EntryState = "queued" | "running" | "held" | "waiting" | "over";

/** One delivered message on its way through the dispatcher. */
export class Entry {
  readonly incoming: Incoming;
  readonly bytes: number;
  /** Re-pointed when the same message is handed out again while this one is still worked on. */
  window: SourceWindow;
  token: number;
  state: EntryState = "queued";
  /** The message may be settled. Comes before `over` where a handler settles early, and goes with a settlement that is fenced. */
  finished = false;
  /** Already settled behind an unfinished one. */
  settled = false;
  /** Handler calls that count, begun so far. */
  attempts = 0;
  redelivered: boolean;
  /** What it brought along from a delayed destination; read at its first attempt. */
  progress: { readonly before: number; readonly level: number } | undefined;
  /** Why it blocks its key. */
  failure: { readonly delivery: Delivery; readonly error: unknown } | undefined;
  /** That of its key, until it leaves that. */
  lane: string | undefined;
  /** Nobody of its lane is before it. */
  first = true;
  /** The next of its lane. */
  next: Entry | undefined;
  readonly since: number;
  /** When its handler was called. */
  startedAt = 0;
  /** Of the attempt under way. */
  delivery: LiveDelivery | undefined;
  cancelWait: (() => void) | undefined;

  constructor(incoming: Incoming, window: SourceWindow, since: number) {
    this.incoming = incoming;
    this.bytes = weigh(incoming);
    this.window = window;
    this.token = incoming.token;
    this.redelivered = incoming.redelivered;
    this.since = since;
  }
}
