import type { Entry } from "./entry.ts";
import { Lanes, laneKey } from "./lanes.ts";
import { Queue } from "./queue.ts";

/** The most of one batch. */
export interface BatchLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Entries that wait for their turn: first of their lane they are ready, in the order in which they became so; else behind others of their key. */
export class Backlog {
  readonly #keyed: boolean;
  readonly #lanes = new Lanes();
  readonly #ready = new Queue<Entry>();
  #queued = 0;

  constructor(keyed: boolean) {
    this.#keyed = keyed;
  }

  /** Entries that may start, or will when their lane lets them. */
  get queued(): number {
    return this.#queued;
  }

  add(entry: Entry): void {
    this.#queued++;
    const { key } = entry.incoming;
    const first = !this.#keyed || key === undefined || this.#lanes.add(laneKey(key), entry);
    if (first) this.#ready.push(entry);
  }

  /** The one to start next. What is ready and may not start any more leaves its lane. */
  first(): Entry | undefined {
    for (let entry = this.#ready.peek(); entry !== undefined; entry = this.#ready.peek()) {
      if (startable(entry)) return entry;
      this.#ready.shift();
      this.forget(entry);
      this.leave(entry);
    }
    return undefined;
  }

  /** Takes what {@link first} gave. */
  take(): Entry | undefined {
    const entry = this.first();
    if (entry !== undefined) this.#start(this.#ready.shift() as Entry);
    return entry;
  }

  /** Takes a batch; the followers of one key come along in their order. One message may be larger than the limit. */
  takeBatch({ messages, bytes }: BatchLimits): Entry[] {
    const batch: Entry[] = [];
    let weight = 0;
    const fits = (entry: Entry) => batch.length === 0 || (batch.length < messages && weight + entry.bytes <= bytes);
    for (let ready = this.first(); ready !== undefined && fits(ready); ready = this.first()) {
      this.#ready.shift();
      for (let entry: Entry | undefined = ready; entry !== undefined && startable(entry) && fits(entry); entry = entry.next) {
        this.#start(entry);
        batch.push(entry);
        weight += entry.bytes;
      }
    }
    return batch;
  }

  /** Puts an entry back that was taken. It keeps its place in its lane. */
  putBack(entry: Entry): void {
    entry.state = "queued";
    this.#queued++;
    if (entry.first) this.#ready.push(entry);
  }

  /** It is over before it started. It leaves its lane when its turn comes. */
  forget(entry: Entry): void {
    if (entry.state === "queued") this.#queued--;
    entry.state = "over";
  }

  /** A first entry is over: the next of its lane is ready, unless it was started together with it. */
  leave(entry: Entry): void {
    const next = this.#lanes.leave(entry);
    if (next !== undefined && next.state !== "running") this.#ready.push(next);
  }

  #start(entry: Entry): void {
    entry.state = "running";
    this.#queued--;
  }
}

function startable(entry: Entry): boolean {
  return entry.state === "queued" && entry.window.state === "owned";
}
