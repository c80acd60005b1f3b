import assert from "node:assert/strict";
import type { Behaviour } from "../behaviour.ts";
import type { OwnBroker } from "../harness.ts";
import { arrived, itemsOf, publishAll } from "../items.ts";
import type { Item, Lab } from "../lab.ts";

/** A broker may take long to start. */
const TIMEOUT = 180_000;

export const connecting: Behaviour = {
  name: "connecting",
  checks: [
    {
      name: "a first connection attempted while the broker is down succeeds when it comes up",
      needs: ["broker"],
      timeout: TIMEOUT,
      async run(lab) {
        await using broker = await ownBroker(lab);
        await broker.stop();
        const stream = lab.stream({ groups: ["conformance"] });
        const [publisher, subscriber] = [await broker.bus(), await broker.bus()];
        const got: Item[] = [];
        let settled = 0;
        const calls = [
          publisher.ready(),
          publisher.publish(stream, { key: "k", n: 0 }, { timeout: TIMEOUT }),
          subscriber.subscribe(stream, ({ payload }) => got.push(payload)),
        ].map((call) => call.finally(() => settled++));
        const all = Promise.all(calls);
        await lab.until(
          async () => (await publisher.health()).status !== "up",
          () => "health to say that the broker is down",
        );
        assert.equal(settled, 0, "a call was over while the broker was down");
        await broker.start();
        await all;
        await arrived(lab, got, [{ key: "k", n: 0 }]);
      },
    },
    {
      name: "a broker that goes away and comes back loses nothing, and nobody has to reconnect",
      needs: ["broker"],
      timeout: TIMEOUT,
      async run(lab) {
        await using broker = await ownBroker(lab);
        const stream = lab.stream();
        const [publisher, subscriber] = [await broker.bus(), await broker.bus()];
        const keys = ["a", "b", "c", "d"];
        const got: Item[] = [];
        await subscriber.subscribe(stream, ({ payload }) => got.push(payload));
        await publishAll(publisher, stream, itemsOf(keys, 25));
        await broker.stop();
        const meanwhile = Promise.all(itemsOf(keys, 25, 25).map((item) => publisher.publish(stream, item, { timeout: TIMEOUT })));
        await broker.start();
        await meanwhile;
        await publishAll(publisher, stream, itemsOf(keys, 25, 50));
        await arrived(lab, got, itemsOf(keys, 75));
        for (const key of keys) {
          const firsts = [...new Set(got.filter((item) => item.key === key).map(({ n }) => n))];
          assert.deepEqual(
            firsts,
            firsts.toSorted((a, b) => a - b),
            `messages of key ${key} came in another order`,
          );
        }
      },
    },
    {
      name: "wrong credentials reject at once with that reason, instead of being tried for ever",
      needs: ["badCredentials"],
      async run(lab) {
        const stream = lab.stream();
        const wrong = { code: "WAYBILL_AUTHENTICATION_FAILED", retryable: false };
        const bus = async () => lab.bus({ transport: await lab.harness.badCredentials?.() });
        await assert.rejects((await bus()).ready(), wrong);
        await assert.rejects((await bus()).publish(stream, { key: "k", n: 0 }), wrong);
        await assert.rejects(
          (await bus()).subscribe(stream, () => undefined),
          wrong,
        );
      },
    },
  ],
};

/** A broker that only this check uses, and buses on it. */
async function ownBroker(lab: Lab) {
  const broker = (await lab.harness.broker?.()) as OwnBroker;
  return {
    start: () => broker.start(),
    stop: () => broker.stop(),
    bus: async () => lab.bus({ transport: await broker.transport() }),
    async [Symbol.asyncDispose]() {
      await lab.closeBuses().finally(() => broker.remove());
    },
  };
}
