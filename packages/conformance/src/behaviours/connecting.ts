import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Bus } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { arrived, itemsOf, publishAll } from "../items.ts";
import type { Item, Lab } from "../lab.ts";

/** A broker may take long to start. */
const TIMEOUT = 180_000;
/** Time for a few attempts. */
const OUTAGE = 200;

export const connecting: Behaviour = {
  name: "connecting",
  checks: [
    {
      name: "a first connection attempted while the broker is down succeeds when it comes up",
      needs: ["broker"],
      timeout: TIMEOUT,
      async run(lab) {
        const broker = await lab.ownBroker();
        await broker.stop();
        const stream = lab.stream({ groups: ["conformance"] });
        const [publisher, subscriber] = [
          await lab.bus({ transport: await broker.transport() }),
          await lab.bus({ transport: await broker.transport() }),
        ];
        const got: Item[] = [];
        let settled = 0;
        const calls = [
          publisher.ready(),
          publisher.publish(stream, { key: "k", n: 0 }, { timeout: TIMEOUT }),
          subscriber.subscribe(stream, ({ payload }) => got.push(payload)),
        ].map((call) => call.finally(() => settled++));
        const all = Promise.all(calls);
        handledLater(all);
        await outage(lab, publisher);
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
        const broker = await lab.ownBroker();
        const stream = lab.stream();
        const [publisher, subscriber] = [
          await lab.bus({ transport: await broker.transport() }),
          await lab.bus({ transport: await broker.transport() }),
        ];
        const keys = ["a", "b", "c", "d"];
        const got: Item[] = [];
        await subscriber.subscribe(stream, ({ payload }) => got.push(payload));
        await publishAll(publisher, stream, itemsOf(keys, 25));
        await broker.stop();
        const meanwhile = Promise.all(itemsOf(keys, 25, 25).map((item) => publisher.publish(stream, item, { timeout: TIMEOUT })));
        handledLater(meanwhile);
        await outage(lab, publisher);
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
        const refused = (call: Promise<unknown>) => assert.rejects(lab.within(call, "a refusal"), wrong);
        await refused((await bus()).ready());
        await refused((await bus()).publish(stream, { key: "k", n: 0 }));
        await refused((await bus()).subscribe(stream, () => undefined));
      },
    },
  ],
};

/** The broker is away until everybody has noticed, and tried in vain. */
async function outage(lab: Lab, bus: Bus): Promise<void> {
  await lab.until(
    async () => (await bus.health()).status !== "up",
    () => "health to say that the broker is away",
  );
  await delay(OUTAGE);
}

/** Keeps a rejection from being reported as unhandled until the check gets to it. */
function handledLater(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}
