import assert from "node:assert/strict";
import type { Delivery } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import type { ForeignMessage } from "../harness.ts";
import type { Lab } from "../lab.ts";

const body = Buffer.from('{"key":"abroad","n":7}');

export const foreignMessages: Behaviour = {
  name: "foreign messages",
  checks: [
    {
      name: "a message of a program without Waybill is delivered, with an id and without a key",
      needs: ["foreign"],
      async run(lab) {
        const { payload, key, id, headers, raw } = await fromAbroad(lab, { body, headers: {} });
        assert.deepEqual(payload, { key: "abroad", n: 7 });
        assert.equal(key, undefined);
        assert.ok(id.length > 0, "it has no id");
        assert.deepEqual({ ...headers }, {});
        assert.ok(Buffer.from(raw.body).equals(body), "its raw body differs");
      },
    },
    {
      name: "its string headers come back, and binary ones in base64",
      needs: ["foreign"],
      async run(lab) {
        const { headers } = await fromAbroad(lab, {
          body,
          headers: { tenant: "Zürich", blob: Uint8Array.of(0xff, 0x00, 0xfe, 0x80) },
        });
        assert.deepEqual({ ...headers }, { tenant: "Zürich", blob: "/wD+gA==" });
      },
    },
  ],
};

async function fromAbroad(lab: Lab, message: ForeignMessage): Promise<Delivery> {
  const stream = lab.stream({ partitions: 2 });
  const got: Delivery[] = [];
  const bus = await lab.bus();
  await bus.subscribe(stream, (delivery) => got.push(delivery));
  await lab.harness.foreign?.(stream.name, message);
  await lab.until(
    () => got.length > 0,
    () => "the message from abroad",
  );
  return got[0] as Delivery;
}
