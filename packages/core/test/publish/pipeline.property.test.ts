import fc from "fast-check";
import { expect, test } from "vitest";
import { tick } from "./sending.ts";
import { type Call, type Course, type Payload, type Publish, violationsOf } from "./world.ts";

const ms = fc.constantFrom(0, 0, 0, 5, 50, 700);
const course: fc.Arbitrary<Course> = fc.record({
  validate: ms,
  plugin: ms,
  encode: ms,
  fails: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, "validate", "plugin", "encode"),
});
const call: fc.Arbitrary<Call> = fc.record({
  courses: fc.array(course, { minLength: 1, maxLength: 4 }),
  many: fc.boolean(),
  timeout: fc.constantFrom(30, 400, 30_000, 30_000, 30_000),
  abortAfter: fc.constantFrom(undefined, undefined, undefined, 0, 40),
  pause: fc.constantFrom(0, 0, 0, 3, 60),
});

const directly: Publish = (pipeline, ...call) => pipeline.publish(...call);

const inOrder = (publish: Publish) =>
  fc.asyncProperty(
    fc.record({
      plugged: fc.boolean(),
      ready: fc.constantFrom(0, 0, 25, 900),
      calls: fc.array(call, { minLength: 1, maxLength: 8 }),
    }),
    async (world) => {
      const violations = await violationsOf(world, publish);
      if (violations.length > 0) throw new Error(violations.join("; "));
    },
  );

test("calls reach the broker in their order, through asynchronous validation, plugins, codecs and provisioning", async () => {
  await fc.assert(inOrder(directly), { numRuns: 200 });
});

test("a pipeline that lets calls overtake each other is caught", async () => {
  const overtaking: Publish = async (pipeline, contract, type, payload, options) => {
    const { validate, ...rest } = payload as Payload;
    for (let turn = 0; turn < Math.min(validate, 20); turn++) await tick();
    return pipeline.publish(contract, type, { ...rest, validate: 0 }, options);
  };
  const result = await fc.check(inOrder(overtaking), { numRuns: 200, seed: 1, endOnFailure: true });
  expect(result.failed).toBe(true);
  expect(String(result.errorInstance)).toContain("sent as");
});
