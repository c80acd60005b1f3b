import { PublishManyError } from "../../src/errors.ts";
import type { Plugin } from "../../src/plugin.ts";
import type { PublishPipeline } from "../../src/publish/pipeline.ts";
import { topic } from "../../src/topic.ts";
import { live, publishing, schema } from "./publishing.ts";
import { tick } from "./sending.ts";

type Stage = "validate" | "plugin" | "encode";

/** How long a message takes at each stage, in milliseconds (0: synchronous), and where it fails. */
export interface Course {
  readonly validate: number;
  readonly plugin: number;
  readonly encode: number;
  readonly fails: Stage | undefined;
}

export interface Payload extends Course {
  readonly id: number;
}

export interface Call {
  readonly courses: readonly Course[];
  readonly many: boolean;
  readonly timeout: number;
  readonly abortAfter: number | undefined;
  readonly pause: number;
}

const FAILURE = "a planned failure";
export type Publish = (
  pipeline: PublishPipeline,
  ...call: Parameters<PublishPipeline["publish"]>
) => ReturnType<PublishPipeline["publish"]>;
/** What happens on one topic, all messages of which have one key. */
export interface World {
  readonly plugged: boolean;
  /** How long the topic takes to be ready. */
  readonly ready: number;
  readonly calls: readonly Call[];
}

/** What went wrong. */
export async function violationsOf({ plugged, ready, calls }: World, publish: Publish): Promise<string[]> {
  const pass = (stage: Stage, payload: Payload): Promise<void> | undefined => {
    if (payload[stage] === 0) {
      if (payload.fails === stage) throw new Error(FAILURE);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      world.clock.after(payload[stage], () => (payload.fails === stage ? reject(new Error(FAILURE)) : resolve()));
    });
  };
  const plugin: Plugin = {
    name: "slow",
    publish: async (message, next) => {
      await pass("plugin", message.payload as Payload);
      return next(message);
    },
  };
  const contract = topic("ordered", {
    schema: schema((payload: Payload) => pass("validate", payload)?.then(() => payload) ?? payload),
    key: () => "the same",
    codec: {
      contentType: "text/plain",
      encode: (payload) => {
        const bytes = Buffer.from(String((payload as Payload).id));
        return pass("encode", payload as Payload)?.then(() => bytes) ?? bytes;
      },
      decode: String,
    },
  });
  let isReady = ready === 0;
  const made = live(contract, 1);
  const becoming = Promise.withResolvers<typeof made>();
  const world = publishing({ plugins: plugged ? [plugin] : [], provisioned: () => (isReady ? made : becoming.promise) });
  world.clock.after(ready, () => {
    isReady = true;
    becoming.resolve(made);
  });

  const violations: string[] = [];
  const stored = new Set<number>();
  let next = 0;
  let open = 0;
  const judge = (payload: Payload, timeout: number, aborted: unknown, outcome: unknown) => {
    const { id, fails } = payload;
    const fine = outcome === "stored";
    if (fine) stored.add(id);
    const failed = fails !== undefined && (fails !== "plugin" || plugged);
    const text = String((outcome as Error).message ?? outcome);
    const excused = outcome === aborted || (text.includes("in time") && timeout < 30_000);
    if (fine ? failed : !excused && !(failed && text.includes(FAILURE)))
      violations.push(`${id}, which ${failed ? "fails" : "goes through"}: ${text}`);
  };
  for (const { courses, many, timeout, abortAfter, pause } of calls) {
    const payloads = courses.map((one): Payload => ({ ...one, id: next++ }));
    const controller = new AbortController();
    const reason = new Error("enough");
    if (abortAfter !== undefined) world.clock.after(abortAfter, () => controller.abort(reason));
    const options = { timeout, signal: controller.signal };
    open++;
    const whole = many
      ? world.pipeline
          .publishMany(
            contract,
            payloads.map((payload) => ({ payload })),
            options,
          )
          .then(
            () => payloads.map(() => "stored"),
            (error) =>
              error instanceof PublishManyError ? error.outcomes.map((one) => ("partition" in one ? "stored" : one)) : error,
          )
      : Promise.all(
          payloads.map((payload) =>
            publish(world.pipeline, contract, undefined, payload, options).then(
              () => "stored",
              (error) => error,
            ),
          ),
        );
    void whole.then((outcomes: unknown) => {
      open--;
      // A whole array is refused for one that is not valid, or given up by its caller.
      if (Array.isArray(outcomes)) for (const [i, payload] of payloads.entries()) judge(payload, timeout, reason, outcomes[i]);
      else if (outcomes !== reason && !payloads.some(({ fails }) => fails === "validate"))
        violations.push(`an array was refused: ${outcomes}`);
    });
    for (let left = pause; left > 0; left--) {
      world.clock.advance(1);
      await tick();
    }
  }
  for (let turn = 0; turn < 500 && open > 0; turn++) {
    world.clock.advance(turn < 100 ? 10 : 500);
    await tick();
  }
  if (open > 0) violations.push(`${open} calls were never settled`);
  const bodies = world.wire.map(({ envelope }) => Number(String(envelope.body)));
  if (bodies.some((id, i) => i > 0 && id <= (bodies[i - 1] as number))) violations.push(`sent as ${bodies}`);
  for (const id of stored) if (!bodies.includes(id)) violations.push(`${id} was not sent`);
  return violations;
}
