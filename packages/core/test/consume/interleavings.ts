import assert from "node:assert/strict";
import fc from "fast-check";
import type { Dispatcher } from "../../src/consume/dispatcher.ts";
import { type Logged, Simulation, tick } from "./simulation.ts";

type Step =
  | { do: "gain" | "lose" | "release" | "pause" | "resume" }
  | { do: "deliver"; count: number }
  | { do: "deliverLate"; count: number }
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deliverLate" as const), count: fc.integer({ min: 1, max: 6 }) }) },
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
  else if (one.do === "deliverLate") simulation.deliverLate(one.count);
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
  for (let turn = 0; turn < 5; turn++) await tick();
}

/** Throws where a key that is busy keeps another waiting. */
export async function otherKeysGoOn(Engine: typeof Dispatcher): Promise<void> {
  const simulation = new Simulation(
    Engine,
    ["a", "a", "b", "c"].map((key, position) => ({ position, key })),
  );
  simulation.gain();
  simulation.deliver(4);
  await tick();
  const running = simulation.running.map(({ logged }) => logged.position);
  assert.deepEqual(running, [0, 2, 3]);
}

/** Throws with a counterexample where a dispatcher breaks a promise under some interleaving. */
export async function holdsUnderAnyInterleaving(Engine: typeof Dispatcher, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(log, fc.array(step, { maxLength: 60 }), async (entries, steps) => {
      const simulation = new Simulation(Engine, entries);
      simulation.gain();
      for (const one of steps) await take(simulation, one);
      await settleDown(simulation);
      assert.deepEqual(simulation.violations, []);
      const finished = [...simulation.finished].sort(([a], [b]) => a - b);
      assert.deepEqual(
        finished,
        entries.map(({ position }) => [position, 1]),
        "every message is finished once",
      );
      assert.equal(simulation.committed, entries.at(-1)?.position, "everything is settled");
      assert.equal(simulation.dispatcher.inFlight, 0);
    }),
    { numRuns },
  );
}
