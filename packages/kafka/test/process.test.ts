import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, inject, test } from "vitest";
import { topicSpec } from "./driver.ts";

const { url = "", skip } = inject("kafka");

/** Runs a program of its own, so that what kafkajs does to a process shows. */
async function run(program: string): Promise<{ code: number | null; output: string }> {
  const args = ["--conditions=@waybill/source", "--input-type=module-typescript", "--eval", program];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "pipe"], timeout: 25_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

const preamble = `
  import { silentLogger, systemClock } from "@waybill/core/transport";
  import { kafka } from "../src/index.ts";
  const topic = ${JSON.stringify(topicSpec())};
  const context = { app: "test", logger: silentLogger, clock: systemClock, state() {} };
  const connection = kafka({ url: ${JSON.stringify(url)} }).connect(context);
  const spec = { topic, group: "g", from: "earliest", provision: "create", window: { messages: 100, bytes: 1e6 }, handover: 1000, delays: [] };
  const sink = { gained() {}, batch() {}, async losing() {}, lost() {}, failed() {} };
  const consumer = connection.consume(spec, sink);
  await consumer.ready;
  const envelope = { attributes: {}, contentType: undefined, key: undefined, body: Buffer.from("x"), timestamp: Date.now(), headers: [] };
  const publisher = connection.publisher("publish");
  const to = { kind: "topic", topic, partition: 0 };
  const [outcome] = await publisher.publish(to, [envelope], { deadline: Date.now() + 10_000 });
  if (outcome.stored !== true) throw outcome.error;
`;

describe.skipIf(skip !== undefined)(`a process that uses Kafka${skip === undefined ? "" : ` (${skip})`}`, () => {
  // Node 24 would warn of kafkajs's idle timer.
  test("ends by itself once everything is closed, and gets no warning", async () => {
    const result = await run(`${preamble}
      await consumer.close({ deadline: Date.now() + 5_000 });
      await publisher.close();
      await connection.close({ deadline: Date.now() + 5_000 });
    `);
    expect(result).toEqual({ code: 0, output: "" });
  });

  test("ends by itself once it was severed and its deadline has passed", async () => {
    const result = await run(`${preamble}
      connection.sever();
      await consumer.close({ deadline: Date.now() });
      await connection.close({ deadline: Date.now() });
    `);
    expect(result).toEqual({ code: 0, output: "" });
  });
});
