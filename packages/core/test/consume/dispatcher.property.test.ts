import fc from "fast-check";
import { expect, test } from "vitest";
import { type Logged, Simulation, tick } from "./simulation.ts";

type Step =
  | { do: "gain" | "lose" | "release" | "pause" | "resume" }
  | { do: "deliver"; count: number }
  | { do: "advance"; ms: number }
  | { do: "handOver"; ms: number }
  | { do: "finish"; index: number; how: "done" | "retry" | "hold" };

const log = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 3 }), key: fc.constantFrom("a", "b", "c", undefined) }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((entries) => {
    let position = -1;
    return entries.map(({ gap, key }): Logged => {
      position += gap;
      return { position, key };
    });
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("deliver" as const), count: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      index: fc.nat(5),
      how: fc.constantFrom("done" as const, "done" as const, "retry" as const, "hold" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("gain" as const, "release" as const, "lose" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("advance" as const, "handOver" as const), ms: fc.integer({ min: 0, max: 200 }) }),
  },
);

async function take(simulation: Simulation, one: Step): Promise<void> {
  if (one.do === "gain") simulation.gain();
  else if (one.do === "lose") simulation.lose();
  else if (one.do === "release") await simulation.release();
  else if (one.do === "pause") simulation.dispatcher.pause();
  else if (one.do === "resume") simulation.dispatcher.resume();
  else if (one.do === "deliver") simulation.deliver(one.count);
  else if (one.do === "advance") simulation.clock.advance(one.ms);
  else if (one.do === "handOver") await simulation.handOver(one.ms);
  else if (one.do === "finish") await simulation.finish(one.index, one.how);
  await tick();
}

/** From here on nothing is lost any more: everything must come to its end. */
async function settleDown(simulation: Simulation): Promise<void> {
  simulation.dispatcher.resume();
  for (let turn = 0; turn < 300 && !simulation.settled; turn++) {
    simulation.gain();
    simulation.deliver(5);
    simulation.clock.advance(200);
    while (simulation.held.length > 0) await simulation.release();
    while (simulation.running.length > 0) await simulation.finish(0, "done");
    await tick();
  }
  simulation.clock.advance(1_000);
  await tick();
}

test("whatever is delivered, lost, handed over and retried, order holds, nothing is skipped and nothing is done twice", async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.array(step, { maxLength: 60 }), async (entries, steps) => {
      const simulation = new Simulation(entries, 4);
      simulation.gain();
      for (const one of steps) await take(simulation, one);
      await settleDown(simulation);
      expect(simulation.violations).toEqual([]);
      expect([...simulation.finished.keys()].sort((a, b) => a - b)).toEqual(entries.map(({ position }) => position));
      expect([...simulation.finished.values()].every((times) => times === 1)).toBe(true);
      expect(simulation.committed).toBe(entries.at(-1)?.position);
      expect(simulation.dispatcher.inFlight).toBe(0);
    }),
    { numRuns: 300 },
  );
}, 120_000);
