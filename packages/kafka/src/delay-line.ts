import type { Clock } from "@waybill/core/transport";
import type { FetchedRecord, TopicPartition } from "./engine.ts";
import type { Flow } from "./source.ts";

export interface DelayLineOptions {
  readonly flow: Flow;
  readonly of: TopicPartition;
  /** Since a record was written. */
  readonly ms: number;
  readonly clock: Clock;
  deliver(records: readonly FetchedRecord[]): void;
}

/**
 * One partition of delayed messages: each is handed over once its time has come, and nothing behind it before. While some wait nothing more is
 * fetched, so that what is held is what was asked for last.
 */
export class DelayLine implements Flow {
  readonly #options: DelayLineOptions;
  #waiting: FetchedRecord[] = [];
  /** By whoever consumes. */
  #paused = false;
  /** Nothing is fetched. */
  #stopped = false;
  #ended = false;
  #cancel = (): void => {};

  constructor(options: DelayLineOptions) {
    this.#options = options;
  }

  start(of: TopicPartition, offset: number, paused: boolean): void {
    this.#paused = paused;
    this.#stopped = paused;
    this.#options.flow.start(of, offset, paused);
  }

  pause(): void {
    this.#paused = true;
    this.#advance();
  }

  resume(): void {
    this.#paused = false;
    this.#advance();
  }

  take(records: readonly FetchedRecord[]): void {
    if (this.#ended) return;
    this.#waiting.push(...records);
    this.#advance();
  }

  /** The partition is gone. What waits stays uncommitted. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#cancel();
  }

  #advance(): void {
    const { clock, deliver } = this.#options;
    const due = this.#paused ? [] : this.#takeDue(clock.now());
    // Whoever takes them may pause, or end this.
    if (due.length > 0) deliver(due);
    this.#cancel();
    if (this.#ended) return;
    const [first] = this.#waiting;
    if (first !== undefined && !this.#paused) {
      this.#cancel = clock.after(Math.max(0, this.#dueAt(first) - clock.now()), () => this.#advance());
    }
    this.#steer();
  }

  #takeDue(now: number): readonly FetchedRecord[] {
    const early = this.#waiting.findIndex((record) => this.#dueAt(record) > now);
    return this.#waiting.splice(0, early < 0 ? this.#waiting.length : early);
  }

  #dueAt({ timestamp }: FetchedRecord): number {
    return timestamp + this.#options.ms;
  }

  #steer(): void {
    const { flow, of } = this.#options;
    const stop = this.#paused || this.#waiting.length > 0;
    if (stop === this.#stopped) return;
    this.#stopped = stop;
    if (stop) flow.pause(of);
    else flow.resume(of);
  }
}
