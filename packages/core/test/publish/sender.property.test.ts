import fc from "fast-check";
import { expect, test } from "vitest";
import { PublishTimeoutError, WaybillError } from "../../src/errors.ts";
import { Sender, type SenderOptions } from "../../src/publish/sender.ts";
import type { TransportPublisher } from "../../src/transport.ts";
import type { Plan } from "./model-broker.ts";
import { type Make, Sending, type Sent, type Step } from "./sending.ts";

const plan: fc.Arbitrary<Plan> = fc.record({
  delay: fc.constantFrom(0, 1, 1, 30, 400, 5_000),
  answered: fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY),
  stored: fc.constantFrom(0, 0, 1, 2, Number.POSITIVE_INFINITY),
  contract: fc.constantFrom("keeps", "keeps", "keeps", "keeps", "keeps", "keeps", "keeps", "rejects", "miscounts"),
});

const sent: fc.Arbitrary<Sent> = fc.record({
  partition: fc.nat(1),
  size: fc.constantFrom(1, 1, 200, 900, 4_000),
  timeout: fc.constantFrom(5, 50, 1_000, 30_000, 30_000, 30_000, Number.POSITIVE_INFINITY),
  refused: fc.constantFrom(false, false, false, true),
  abortAfter: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 0, 20, 500),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ send: fc.array(sent, { minLength: 1, maxLength: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ advance: fc.constantFrom(1, 10, 100, 1_500) }) },
);

const sends = (make?: Make, looksFor = /./) =>
  fc.asyncProperty(fc.array(plan, { maxLength: 12 }), fc.array(step, { minLength: 1, maxLength: 12 }), async (plans, steps) => {
    const sending = new Sending(plans, make);
    for (const one of steps) await sending.take(one);
    await sending.end();
    const found = sending.broker.violations.filter((violation) => looksFor.test(violation));
    if (found.length > 0) throw new Error(found.join("; "));
  });

test("messages are stored in the order of the calls, and every caller learns what became of its own", async () => {
  await fc.assert(sends(), { numRuns: 300 });
});

type Send = Sender["send"];

/** A sender with its `send` replaced. */
function altered(
  alter: (send: Send, sender: Sender) => Send,
  publisher = (real: TransportPublisher) => real,
  options: Partial<SenderOptions> = {},
): Make {
  return (real, given) => {
    const sender = new Sender(publisher(real), { ...given, ...options });
    const send = alter(sender.send.bind(sender), sender);
    return {
      send,
      get inFlight() {
        return sender.inFlight;
      },
    };
  };
}

const retries =
  (retry: boolean) =>
  (real: TransportPublisher): TransportPublisher => ({
    publish: async (...call) =>
      (await real.publish(...call)).map((outcome) => (outcome.stored === true ? outcome : { ...outcome, retry })),
    close: () => real.close(),
  });

const UNBOUNDED = { messages: 1_000, bytes: 1_000_000 };

const sabotages: Record<string, { make: Make; caught: RegExp }> = {
  "sends again at the end of the queue": {
    make: altered((send) => {
      const again: Send = (to, envelope, options) =>
        send(to, envelope, options).catch((error) => {
          if (error instanceof WaybillError && error.code === "WAYBILL_CONNECTION_FAILED") return again(to, envelope, options);
          throw error;
        });
      return again;
    }, retries(false)),
    caught: /was stored in .* after/,
  },
  "has two calls in flight": {
    make: (real, options) => {
      const senders = [new Sender(real, options), new Sender(real, options)] as const;
      let turn = 0;
      return { send: (...call) => senders[turn++ % 2 === 0 ? 0 : 1].send(...call), inFlight: { messages: 0, bytes: 0 } };
    },
    caught: /a second call/,
  },
  "sends refused messages again": { make: altered((send) => send, retries(true)), caught: /sent again after it was refused/ },
  "resolves before the answer": {
    make: altered((send) => async (...call) => {
      void send(...call).catch(() => {});
      return undefined;
    }),
    caught: /said to be stored/,
  },
  "forgets a message": {
    make: altered(
      (send) => (to, envelope, options) => (envelope.attributes.id === "3" ? new Promise(() => {}) : send(to, envelope, options)),
    ),
    caught: /never settled|waits/,
  },
  "says that nothing was stored": {
    make: altered(
      (send) =>
        (...call) =>
          send(...call).catch((error) => {
            throw error instanceof PublishTimeoutError ? new PublishTimeoutError("no", error.message) : error;
          }),
    ),
    caught: /said not to be stored, and is/,
  },
  "ignores the limits": { make: altered((send) => send, undefined, { limits: UNBOUNDED }), caught: /than the limit/ },
  "ignores the size of a batch": { make: altered((send) => send, undefined, { maxBatch: UNBOUNDED }), caught: /a batch of/ },
  "ignores deadlines": {
    make: altered((send) => (to, envelope, options) => send(to, envelope, { ...options, deadline: Number.POSITIVE_INFINITY })),
    caught: /waits past its deadline/,
  },
  "ignores signals": {
    make: altered(
      (send) =>
        (to, envelope, { signal: _, ...options }) =>
          send(to, envelope, options),
    ),
    caught: /waits though it was aborted/,
  },
  "sends on after an abort": {
    make: altered((send) => (to, envelope, { signal, ...options }) => {
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => reject(signal.reason));
      return Promise.race([send(to, envelope, options), promise]);
    }),
    caught: /handed over after it was settled/,
  },
};

for (const [name, { make, caught }] of Object.entries(sabotages)) {
  test(`a sender that ${name} is caught`, async () => {
    const result = await fc.check(sends(make, caught), { numRuns: 300, seed: 1, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
}
