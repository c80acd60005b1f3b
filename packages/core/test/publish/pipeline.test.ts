import { expect, test } from "vitest";
import { z } from "zod";
import { PayloadInvalidError, PublishManyError } from "../../src/errors.ts";
import { partitionOf } from "../../src/partition.ts";
import type { Plugin } from "../../src/plugin.ts";
import type { LiveTopic } from "../../src/publish/route.ts";
import type { Receipt } from "../../src/publisher.ts";
import { topic, unchecked } from "../../src/topic.ts";
import { live, publishing, schema } from "./publishing.ts";
import { tick } from "./sending.ts";

const orders = topic("orders", {
  events: {
    placed: z.object({
      orderId: z.string(),
      lines: z.array(z.object({ sku: z.string() })),
      at: z.iso.datetime().transform((text) => new Date(text)),
    }),
    cancelled: z.object({ orderId: z.string().trim() }),
  },
  key: ({ payload }) => payload.orderId,
});
const notes = topic("notes", { schema: unchecked<unknown>() });
const placed = { orderId: "o-1", lines: [], at: "2026-01-01T00:00:00Z" };

test("a message goes out as its input, with CloudEvents attributes, its key and its headers", async () => {
  const { pipeline, wire, run, clock, published } = publishing({ context: () => ({ correlationId: "c-1", causationId: "m-0" }) });
  const options = {
    headers: { "x-tenant": "acme", none: undefined },
    id: "m-1",
    timestamp: new Date("2026-02-03T04:05:06.007Z"),
  };
  const receipt = await run(pipeline.publish(orders, "placed", placed, options));
  const partition = partitionOf(Buffer.from("o-1"), 4);
  expect(receipt).toEqual({ id: "m-1", partition, position: "0" });
  expect(wire).toEqual([
    {
      to: { kind: "topic", topic: expect.objectContaining({ name: "orders" }), partition },
      envelope: {
        attributes: {
          id: "m-1",
          source: "shop",
          type: "placed",
          time: "2026-02-03T04:05:06.007Z",
          correlationid: "c-1",
          causationid: "m-0",
        },
        contentType: "application/json",
        key: Buffer.from("o-1"),
        body: Buffer.from(JSON.stringify(placed)),
        timestamp: Date.parse("2026-02-03T04:05:06.007Z"),
        headers: [["x-tenant", "acme"]],
      },
    },
  ]);
  expect(published).toMatchObject([
    { message: { id: "m-1", payload: placed, key: "o-1" }, receipt, ms: clock.now() - 1_000_000 },
  ]);
});

test("ids ascend, and the time is that of the call", async () => {
  const { pipeline, wire, run, clock } = publishing();
  const at = new Date(clock.now()).toISOString();
  const receipts = await run(Promise.all([1, 2, 3].map((payload) => pipeline.publish(notes, undefined, payload))));
  const ids = receipts.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(ids);
  expect(wire.map(({ envelope }) => envelope.attributes)).toEqual(
    ids.map((id) => ({ id, source: "shop", type: "notes", time: at })),
  );
});

test("the key is that of the validated output, or the one given", async () => {
  const { pipeline, wire, run } = publishing();
  await run(pipeline.publish(orders, "cancelled", { orderId: " o-1 " }));
  await run(pipeline.publish(orders, "cancelled", { orderId: "o-1" }, { key: "other" }));
  expect(wire.map(({ envelope }) => [String(envelope.key), String(envelope.body)])).toEqual([
    ["o-1", '{"orderId":" o-1 "}'],
    ["other", '{"orderId":"o-1"}'],
  ]);
});

test("a payload that its schema refuses is not sent, and the error says where it is wrong", async () => {
  const { pipeline, wire, run } = publishing();
  const error = await run(pipeline.publish(orders, "placed", { ...placed, orderId: 7, lines: [{ sku: 1 }] })).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PayloadInvalidError);
  expect(error).toMatchObject({
    code: "WAYBILL_PAYLOAD_INVALID",
    topic: "orders",
    issues: [{ path: ["orderId"] }, { path: ["lines", 0, "sku"] }],
  });
  expect(String(error)).toMatch(/"placed" to topic "orders".*orderId: .*expected string.*; lines\.0\.sku: /);
  expect(wire).toEqual([]);
});

const boom = topic("boom", {
  schema: schema(() => ""),
  key: () => "k",
  codec: { contentType: "x", encode: () => "text" as never, decode: () => "" },
});
const silent = topic("silent", { schema: unchecked<unknown>(), key: (message) => message.payload as string });
const throws = topic("throws", {
  schema: { "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new Error("no database")) } },
});

test.for([
  ["an unknown event", "WAYBILL_TYPE_UNKNOWN", orders, "constructor", {}, {}],
  ["no event", "WAYBILL_TYPE_UNKNOWN", orders, undefined, {}, {}],
  ["a schema that fails itself", "WAYBILL_PAYLOAD_INVALID", throws, undefined, {}, {}],
  ["an empty key", "WAYBILL_KEY_INVALID", orders, "cancelled", { orderId: " " }, {}],
  ["an empty key that was given", "WAYBILL_KEY_INVALID", silent, undefined, "x", { key: "" }],
  ["a key that is no string", "WAYBILL_KEY_INVALID", silent, undefined, 7, {}],
  ["a key function that throws", "WAYBILL_KEY_INVALID", topic("t", { key: () => JSON.parse("{") }), undefined, 7, {}],
  ["a key on a topic without one", "WAYBILL_KEY_INVALID", notes, undefined, 7, { key: "k" }],
  ["what the codec cannot encode", "WAYBILL_ENCODE_FAILED", notes, undefined, undefined, {}],
  ["a codec that gives no bytes", "WAYBILL_ENCODE_FAILED", boom, undefined, {}, {}],
  ["a reserved header", "WAYBILL_HEADERS_INVALID", notes, undefined, {}, { headers: { "waybill-error": "x" } }],
  ["no timeout", "WAYBILL_CONFIG_INVALID", notes, undefined, {}, { timeout: "soon" as never }],
  ["a header that is no string", "WAYBILL_HEADERS_INVALID", notes, undefined, {}, { headers: { n: 1 as never } }],
  ["an empty id", "WAYBILL_CONFIG_INVALID", notes, undefined, {}, { id: "" }],
  ["a timestamp that is no date", "WAYBILL_CONFIG_INVALID", notes, undefined, {}, { timestamp: new Date("soon") }],
] as const)("%s is refused, and nothing is sent", async ([, code, contract, type, payload, options]) => {
  const { pipeline, wire, run } = publishing();
  await expect(run(pipeline.publish(contract, type, payload, options))).rejects.toMatchObject({
    code,
    ...(code === "WAYBILL_CONFIG_INVALID" ? {} : { topic: contract.name }),
  });
  expect(wire).toEqual([]);
});

test("a message beyond the broker's limit, less what a dead letter needs, is refused alone", async () => {
  const { pipeline, run, wire } = publishing({ capabilities: { maxMessageBytes: 100_000 } });
  const payloads = ["x".repeat(10), "x".repeat(60_000), "x".repeat(20)];
  const settled = await run(Promise.allSettled(payloads.map((payload) => pipeline.publish(notes, undefined, payload))));
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(settled[1]).toMatchObject({
    reason: { code: "WAYBILL_MESSAGE_TOO_LARGE", message: expect.stringMatching(/6\d{4} bytes.*34464/) },
  });
  expect(wire).toHaveLength(2);
});

test("messages without a key stay together while their batch is gathered, and are spread over the partitions otherwise", async () => {
  const { pipeline, broker, run } = publishing({ partitions: 3 });
  await run(Promise.all(Array.from({ length: 1_500 }, (_, i) => pipeline.publish(notes, undefined, i))));
  expect(broker.batches.map((batch) => batch.length)).toEqual([1_000, 500]);
  const partitions: number[] = [];
  for (let i = 0; i < 6; i++) partitions.push((await run(pipeline.publish(notes, undefined, i))).partition);
  expect(new Set(partitions).size).toBe(3);
});

test("plugins wrap publishing, the first added outermost, and may change the message", async () => {
  const steps: string[] = [];
  const plugin = (name: string): Plugin => ({
    name,
    async publish(message, next) {
      steps.push(`${name} before`);
      const receipt = await next({ ...message, headers: { ...message.headers, traceparent: name } });
      steps.push(`${name} after ${receipt.position}`);
      return receipt;
    },
  });
  const { pipeline, wire, run } = publishing({ plugins: [plugin("outer"), { name: "listener" }, plugin("inner")] });
  await run(pipeline.publish(notes, undefined, 1));
  expect(steps).toEqual(["outer before", "inner before", "inner after 0", "outer after 0"]);
  expect(wire[0]?.envelope.headers).toEqual([["traceparent", "inner"]]);
});

test("a plugin that does not go on sends nothing and holds nobody up", async () => {
  const receipt: Receipt = { id: "elsewhere", partition: 0, position: undefined };
  const plugin: Plugin = {
    name: "filter",
    publish: async (message, next) => {
      if (message.payload === "throw") throw new Error("no");
      return message.payload === "skip" ? receipt : next(message);
    },
  };
  const { pipeline, wire, run } = publishing({ plugins: [plugin] });
  const [skipped, thrown, sent] = await run(
    Promise.allSettled(["skip", "throw", "send"].map((payload) => pipeline.publish(notes, undefined, payload))),
  );
  expect(skipped).toMatchObject({ value: receipt });
  expect(thrown).toMatchObject({ reason: { message: "no" } });
  expect(sent).toMatchObject({ status: "fulfilled" });
  expect(wire).toHaveLength(1);
});

test("calls before the topic is ready wait for it, in order, and not for each other's confirmation", async () => {
  const { promise, resolve } = Promise.withResolvers<LiveTopic>();
  const { pipeline, broker, wire, run } = publishing({ provisioned: () => promise });
  const sent = [1, 2, 3].map((payload) => pipeline.publish(notes, undefined, payload));
  await tick();
  expect(wire).toEqual([]);
  resolve(live(notes, 1));
  await run(Promise.all(sent));
  expect(wire.map(({ envelope }) => String(envelope.body))).toEqual(["1", "2", "3"]);
  expect(broker.batches.length).toBeLessThan(3);
});

test("a topic that cannot be provisioned rejects with that reason", async () => {
  const { pipeline, run } = publishing({ provisioned: () => Promise.reject(new Error("not authorised")) });
  await expect(run(pipeline.publish(notes, undefined, 1))).rejects.toThrow("not authorised");
});

test("a call that waits for anything before the broker ends at its deadline or with its signal, and frees the way", async () => {
  const slow = topic("slow", { schema: schema((value: string) => (value === "never" ? new Promise(() => {}) : value)) });
  const { pipeline, wire, run, clock } = publishing();
  const controller = new AbortController();
  const reason = new Error("enough");
  const late = pipeline.publish(slow, undefined, "never", { timeout: "2s" });
  const aborted = pipeline.publish(slow, undefined, "never", { signal: controller.signal });
  const next = pipeline.publish(slow, undefined, "next");
  await tick();
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  expect(wire).toEqual([]);
  clock.advance(2_000);
  await expect(late).rejects.toMatchObject({ code: "WAYBILL_PUBLISH_TIMEOUT", stored: "no", topic: "slow" });
  await run(next);
  expect(wire.map(({ envelope }) => String(envelope.body))).toEqual(['"next"']);
});

test("publishMany sends nothing unless all are valid, and says which is not", async () => {
  const later = topic("later", {
    schema: schema(async (value: number) => (value < 0 ? Promise.reject(new Error("negative")) : value)),
  });
  const { pipeline, wire, run } = publishing();
  await expect(run(pipeline.publishMany(later, [{ payload: 1 }, { payload: -1 }]))).rejects.toMatchObject({
    code: "WAYBILL_PAYLOAD_INVALID",
    message: expect.stringContaining("(messages[1]): negative"),
  });
  await expect(
    run(
      pipeline.publishMany(orders, [
        { type: "placed", payload: placed },
        { type: "lost", payload: placed },
      ]),
    ),
  ).rejects.toMatchObject({
    code: "WAYBILL_TYPE_UNKNOWN",
  });
  await expect(run(pipeline.publishMany(later, []))).resolves.toEqual([]);
  expect(wire).toEqual([]);
});

test("publishMany gives an outcome for each message when some fail", async () => {
  const { pipeline, run } = publishing({ capabilities: { maxMessageBytes: 100_000 } });
  const error = await run(
    pipeline.publishMany(notes, [{ payload: "a" }, { payload: "x".repeat(60_000) }, { payload: "b", id: "m-3" }]),
  ).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PublishManyError);
  expect(error).toMatchObject({
    code: "WAYBILL_PUBLISH_INCOMPLETE",
    outcomes: [{ position: "0" }, { code: "WAYBILL_MESSAGE_TOO_LARGE" }, { id: "m-3", position: "1" }],
  });
  expect(String(error)).toContain('1 of 3 messages to topic "notes"');
});

test("publishMany rejects with the reason of its signal", async () => {
  const { pipeline } = publishing({ provisioned: () => new Promise(() => {}) });
  const controller = new AbortController();
  const sent = pipeline.publishMany(notes, [{ payload: 1 }, { payload: 2 }], { signal: controller.signal });
  controller.abort("enough");
  await expect(sent).rejects.toBe("enough");
});

test("flush waits for what is with the broker and for what has not reached it yet, later calls included", async () => {
  const { promise, resolve } = Promise.withResolvers<LiveTopic>();
  const { pipeline, clock, run } = publishing({ provisioned: (contract) => (contract === notes ? live(notes) : promise) });
  let flushed = false;
  const first = pipeline.publish(notes, undefined, 1);
  const flush = pipeline.flush().then(() => (flushed = true));
  await tick();
  const second = pipeline.publish(orders, "placed", placed);
  clock.advance(1);
  await first;
  await tick();
  expect(flushed).toBe(false);
  resolve(live(orders));
  await run(Promise.all([second, flush]));
});

test("close rejects what has not reached the broker, sends none of it, and takes nothing more", async () => {
  const { promise, resolve } = Promise.withResolvers<LiveTopic>();
  const { pipeline, wire } = publishing({ provisioned: () => promise });
  const waiting = pipeline.publish(notes, undefined, 1);
  await tick();
  pipeline.close();
  await expect(waiting).rejects.toMatchObject({ code: "WAYBILL_CLOSED" });
  await expect(pipeline.publish(notes, undefined, 2)).rejects.toMatchObject({ code: "WAYBILL_CLOSED" });
  resolve(live(notes));
  await tick();
  expect(wire).toEqual([]);
});
