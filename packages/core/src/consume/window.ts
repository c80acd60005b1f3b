import type { Settlement, Source } from "../transport.ts";
import type { Entry } from "./entry.ts";
import { Queue } from "./queue.ts";

/** What one epoch of a source has handed over and core has not settled, in order, with the watermark over it. */
export class SourceWindow {
  readonly source: Source;
  readonly #entries = new Queue<Entry>();
  /** `owned`: work is started; `stopped`, by a failure, or `closing`, for an orderly hand-over: nothing is; `lost`: settling is over. */
  state: "owned" | "stopped" | "closing" | "lost" = "owned";
  /** Entries whose handler runs, or that are held. */
  active = 0;
  /** Of entries that are not finished. */
  bytes = 0;
  /** Not finished, or finished behind one that is not. */
  unsettled = 0;
  /** Whether the source was told to pause. */
  #paused = false;
  #watermark: number | undefined;
  /** What the watermark has passed since the last settlement was sent. */
  #passed: Entry[] = [];
  /** What the settlement under way names: not settled until it was taken. */
  #sent: readonly Entry[] = [];
  /** How many are finished behind one that is not, and not settled alone. */
  #behind = 0;
  /** The settlement under way. */
  #settling: Promise<"ok" | "fenced"> | undefined;

  constructor(source: Source) {
    this.source = source;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.source.pause();
  }

  /** Nothing more is started until the next epoch. */
  stop(): void {
    this.pause();
    this.state = "stopped";
  }

  /** Pauses a source that has its share of what may be unsettled, one of `sources`, and lets it go on when half of that is free again. */
  limit(most: { readonly messages: number; readonly bytes: number }, sources: number): void {
    if (this.state !== "owned") return;
    const used = Math.max((this.unsettled * sources) / most.messages, (this.bytes * sources) / most.bytes);
    if (used >= 1) {
      this.pause();
    } else if (this.#paused && used <= 0.5) {
      this.#paused = false;
      this.source.resume();
    }
  }

  track(entry: Entry): void {
    this.#entries.push(entry);
    this.unsettled++;
    if (!entry.finished) {
      this.bytes += entry.bytes;
    } else {
      this.#behind++;
      this.#move();
    }
  }

  /** Marks an entry as done with, whatever becomes of its lane. */
  finish(entry: Entry): void {
    if (entry.finished) return;
    entry.finished = true;
    this.bytes -= entry.bytes;
    this.#behind++;
    this.#move();
  }

  /** The watermark moves over finished entries only, and stops at the first that is not. */
  #move(): void {
    for (let head = this.#entries.peek(); head?.finished; head = this.#entries.peek()) {
      this.#entries.shift();
      // What was settled alone must not be named again: some brokers close the channel over it.
      if (head.settled) continue;
      this.#watermark = head.token;
      this.#behind--;
      this.unsettled--;
      this.#passed.push(head);
    }
  }

  /** How many messages could be settled now. */
  get advance(): number {
    return this.#passed.length;
  }

  /** All that the watermark has not passed, oldest first. */
  entries(): Iterable<Entry> {
    return this.#entries;
  }

  /** All that the broker, for all we know, will hand out again when this epoch is over. */
  unconfirmed(): readonly Entry[] {
    return [...this.#sent, ...this.#passed, ...this.#entries];
  }

  /** When the oldest unsettled message came, if there is one. */
  get oldest(): number | undefined {
    return this.#entries.peek()?.since;
  }

  get settling(): boolean {
    return this.#settling !== undefined;
  }

  /** Something is finished that the watermark cannot reach yet. */
  get blocked(): boolean {
    return this.#behind > 0;
  }

  /** Sends what can be settled. `singlesBefore`: also settle alone what is finished behind a first entry that came before that time. */
  async settle(singlesBefore?: number): Promise<void> {
    while (this.#settling !== undefined) await this.#settling;
    const what = this.#settlement(singlesBefore);
    if (this.state === "lost" || (what.upTo === undefined && what.singles.length === 0)) return;
    this.#sent = this.#passed;
    this.#passed = [];
    this.#watermark = undefined;
    this.#settling = this.source.settle(what);
    // What was fenced comes again, and is recognised then.
    if ((await this.#settling) === "ok") this.#sent = [];
    this.#settling = undefined;
  }

  #settlement(singlesBefore: number | undefined): Settlement {
    const singles: number[] = [];
    const head = this.#entries.peek();
    if (singlesBefore !== undefined && head !== undefined && head.since < singlesBefore) {
      for (const entry of this.#entries) {
        if (!entry.finished || entry.settled) continue;
        entry.settled = true;
        this.#behind--;
        this.unsettled--;
        singles.push(entry.token);
      }
    }
    return { upTo: this.#watermark, singles };
  }
}
