import type { Clock } from "@waybill/core/transport";
import { describe, expect, test } from "vitest";
import { DelayLine } from "../src/delay-line.ts";
import type { FetchedRecord } from "../src/engine.ts";

const of = { topic: "t", partition: 0 };

describe("a line of delayed messages", () => {
  test("hands each over when its time has come, in order, and fetches nothing while some wait", () => {
    const { line, clock, delivered, flow } = lineOf();
    line.start(of, 0, false);
    line.take([record(0, 900), record(1, 1_000), record(2, 1_005)]);
    expect(delivered).toEqual([0]);
    expect(flow).toEqual(["start", "pause"]);
    clock.move(99);
    expect(delivered).toEqual([0]);
    clock.move(1);
    expect(delivered).toEqual([0, 1]);
    expect(flow).toEqual(["start", "pause"]);
    clock.move(5);
    expect(delivered).toEqual([0, 1, 2]);
    expect(flow).toEqual(["start", "pause", "resume"]);
    expect(clock.timers).toBe(0);
  });

  test("takes what was on its way when it paused, and lets nothing overtake", () => {
    const { line, clock, delivered } = lineOf();
    line.start(of, 0, false);
    line.take([record(0, 1_000)]);
    line.take([record(1, 500)]);
    expect(delivered).toEqual([]);
    clock.move(100);
    expect(delivered).toEqual([0, 1]);
  });

  test("hands over nothing while it is paused, and what was due meanwhile when it is resumed, never what is not", () => {
    const { line, clock, delivered, flow } = lineOf();
    line.start(of, 0, true);
    line.resume();
    line.take([record(0, 1_000), record(1, 1_300)]);
    line.pause();
    expect(clock.timers).toBe(0);
    clock.move(200);
    expect(delivered).toEqual([]);
    line.resume();
    expect(delivered).toEqual([0]);
    clock.move(200);
    expect(delivered).toEqual([0, 1]);
    expect(flow).toEqual(["start", "resume", "pause", "resume"]);
  });

  test("stays paused when whoever takes the messages pauses it, and ends when they end it", () => {
    for (const act of ["pause", "end"] as const) {
      const { line, clock, delivered, flow } = lineOf(() => line[act]());
      line.start(of, 0, false);
      line.take([record(0, 900), record(1, 1_000)]);
      clock.move(1_000);
      expect(delivered).toEqual([0]);
      expect(clock.timers).toBe(0);
      expect(flow).toEqual(act === "pause" ? ["start", "pause"] : ["start"]);
    }
  });

  test("looks again when a timer comes early", () => {
    const { line, clock, delivered } = lineOf();
    line.start(of, 0, false);
    line.take([record(0, 1_000)]);
    clock.fire();
    expect(delivered).toEqual([]);
    clock.move(100);
    expect(delivered).toEqual([0]);
  });
});

/** A line of 100 ms, at 1 s past the epoch. */
function lineOf(onDelivery: () => void = () => {}) {
  const clock = new HandClock();
  const delivered: number[] = [];
  const flow: string[] = [];
  const line = new DelayLine({
    of,
    ms: 100,
    clock,
    flow: {
      start: () => void flow.push("start"),
      pause: () => void flow.push("pause"),
      resume: () => void flow.push("resume"),
    },
    deliver(records) {
      delivered.push(...records.map(({ offset }) => offset));
      onDelivery();
    },
  });
  return { line, clock, delivered, flow };
}

function record(offset: number, timestamp: number): FetchedRecord {
  return { offset, timestamp, key: null, value: null, headers: [], native: null };
}

class HandClock implements Clock {
  #now = 1_000;
  readonly #timers = new Map<() => void, number>();

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = () => callback();
    this.#timers.set(timer, this.#now + ms);
    return () => void this.#timers.delete(timer);
  }

  move(ms: number): void {
    this.#now += ms;
    for (const [timer, at] of this.#timers) if (at <= this.#now) this.#run(timer);
  }

  /** All timers, whether their time has come or not. */
  fire(): void {
    for (const timer of [...this.#timers.keys()]) this.#run(timer);
  }

  #run(timer: () => void): void {
    this.#timers.delete(timer);
    timer();
  }
}
