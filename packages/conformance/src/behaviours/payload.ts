import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Codec, type Delivery, topic, unchecked } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { range } from "../items.ts";
import type { Lab } from "../lab.ts";

const bytes: Codec = {
  contentType: "application/octet-stream",
  encode: (payload) => payload as Uint8Array,
  decode: (body) => body,
};

export const payload: Behaviour = {
  name: "payload",
  checks: [
    {
      name: "JSON comes back as it was, whatever its script",
      async run(lab) {
        const values = [{ nested: [1, -0.5, true, null, { a: "" }] }, 'Zürich 東京 🚀 \u0000\u001f"\\', [], 0, false, null];
        const { received } = await roundTrip(lab, values);
        assert.deepEqual(
          received.map((delivery) => delivery.payload),
          values,
        );
      },
    },
    {
      name: "bytes come back as they were, each of the 256",
      run: (lab) => sameBytes(lab, Uint8Array.from(range(256))),
    },
    {
      name: "an empty payload is a message like any other",
      run: (lab) => sameBytes(lab, new Uint8Array(0)),
    },
    {
      name: "900 KiB come back as they were",
      needs: ["900 KiB"],
      run: (lab) => sameBytes(lab, randomBytes(900 * 1_024)),
    },
  ],
};

async function sameBytes(lab: Lab, body: Uint8Array): Promise<void> {
  const { received } = await roundTrip(lab, [body], bytes);
  const [{ payload, raw }] = received as [Delivery];
  assert.ok(
    Buffer.from(payload as Uint8Array).equals(body),
    `${body.length} bytes came back as other ${(payload as Uint8Array).length}`,
  );
  assert.ok(Buffer.from(raw.body).equals(body), "the raw body differs from the payload");
}

async function roundTrip(lab: Lab, values: readonly unknown[], codec?: Codec): Promise<{ received: Delivery[] }> {
  const things = topic(lab.name("payloads"), { partitions: 1, codec, schema: unchecked<unknown>(), key: () => "one" });
  const received: Delivery[] = [];
  const bus = await lab.bus();
  await bus.subscribe(things, (delivery) => received.push(delivery));
  for (const value of values) await bus.publish(things, value);
  await lab.until(
    () => received.length >= values.length,
    () => `${values.length} payloads, not ${received.length}`,
  );
  return { received };
}
