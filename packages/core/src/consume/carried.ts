import type { Incoming } from "../transport.ts";
import type { Entry } from "./entry.ts";
import type { SourceWindow } from "./window.ts";

/** The most remembered of one source. */
const MOST = 10_000;

/**
 * Work that was begun under an epoch that is over. What comes again in the next epoch of the same source is recognised here, so that a rebalance or
 * a reconnect costs few duplicates: finished means settle only, under way means attach to it, failed before means go on counting.
 */
export class Carried {
  readonly #bySource = new Map<string, Map<string, Entry>>();

  /** Keeps what was begun in a window that was lost. What never comes again, since others have it now, is forgotten oldest first. */
  keep(window: SourceWindow): void {
    const entries = this.#bySource.get(window.source.id) ?? new Map<string, Entry>();
    for (const entry of window.unconfirmed()) {
      const begun = entry.finished || entry.attempts > 0 || entry.state !== "queued";
      if (begun && !entry.settled) entries.set(identity(entry.incoming), entry);
    }
    for (const oldest of entries.keys()) {
      if (entries.size <= MOST) break;
      entries.delete(oldest);
    }
    if (entries.size > 0) this.#bySource.set(window.source.id, entries);
  }

  /** The earlier entry of a message that came again, once. */
  claim(source: string, incoming: Incoming): Entry | undefined {
    const entries = this.#bySource.get(source);
    // Without a position only the broker's word tells a redelivery from another message that was given the same id.
    if (entries === undefined || (incoming.position === undefined && !incoming.redelivered)) return undefined;
    const key = identity(incoming);
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    if (entries.size === 0) this.#bySource.delete(source);
    return entry;
  }
}

/** The id is part of it even where there is a position: a topic that was deleted and made anew has the same positions. */
function identity({ position, attributes, timestamp }: Incoming): string {
  return `${position ?? ""} ${timestamp} ${attributes.source ?? ""} ${attributes.id ?? ""}`;
}
