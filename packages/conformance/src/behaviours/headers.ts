import assert from "node:assert/strict";
import type { Headers } from "@waybill/core";
import type { Behaviour } from "../behaviour.ts";
import { range } from "../items.ts";
import type { Lab } from "../lab.ts";

export const headers: Behaviour = {
  name: "headers",
  checks: [
    { name: "a message without headers has none", run: (lab) => sameHeaders(lab, {}) },
    {
      name: "a hundred headers come back",
      run: (lab) => sameHeaders(lab, Object.fromEntries(range(100).map((i) => [`header-${i}`, `value ${i}`]))),
    },
    {
      name: "values come back as they were: empty, long, in any script, or looking like a number",
      run: (lab) =>
        sameHeaders(lab, { empty: "", long: "é".repeat(4_000), script: "Zürich 東京 🚀", number: "42", truth: "true" }),
    },
    { name: "names keep their case", run: (lab) => sameHeaders(lab, { "Tenant-Id": "a", user_name: "b", UPPER: "c" }) },
  ],
};

async function sameHeaders(lab: Lab, wanted: Headers): Promise<void> {
  const stream = lab.stream({ partitions: 1 });
  const got: Headers[] = [];
  const bus = await lab.bus();
  await bus.subscribe(stream, (delivery) => got.push(delivery.headers));
  await bus.publish(stream, { key: "k", n: 0 }, { headers: wanted });
  await lab.until(
    () => got.length > 0,
    () => "the message",
  );
  assert.deepEqual({ ...got[0] }, wanted);
}
