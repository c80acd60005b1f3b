import { type Codec, createBus, type Delivery, topic } from "@waybill/core";
import {
  type Connection,
  type DeadLetterStore,
  type Envelope,
  type StoredDeadLetter,
  silentLogger,
  type TopicSpec,
} from "@waybill/core/transport";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, test, vi } from "vitest";
import { kafka } from "../src/index.ts";
import { connect, consumeSpec, envelope, RecordingSink, topicSpec } from "./driver.ts";

const { url = "", skip } = inject("kafka");

describe.skipIf(skip !== undefined)(`dead letters${skip === undefined ? "" : ` (${skip})`}`, () => {
  test("a group that has no dead letters, or not even a topic for them, has an empty store", async () => {
    const connection = connect({ url });
    const missing = connection.admin.deadLetters?.(topicSpec().name, "g") as DeadLetterStore;
    expect(await missing.count()).toBe(0);
    expect(await all(missing, 10)).toEqual([]);
    await missing.remove([]);
    const { store } = await group(connection);
    expect(await store.count()).toBe(0);
    expect(await all(store, 10)).toEqual([]);
  });

  test("letters of all partitions come in pages, the oldest first, and one that was written again is one", async () => {
    const connection = connect({ url });
    const { store, bury } = await group(connection);
    for (const [partition, id] of [1, 0, 1, 0, 1].entries()) await bury(id, letter(`l-${partition}`, String(partition)));
    await bury(1, letter("l-2", "again"));
    expect(await store.count()).toBe(5);
    const pages = await all(store, 2);
    expect(pages.map((page) => page.map(bodyOf))).toEqual([["0", "1"], ["3", "4"], ["again"]]);
  });

  test("what is removed is gone for every reader, and removing it again is no error", async () => {
    const connection = connect({ url });
    const { spec, store, bury } = await group(connection);
    for (let i = 0; i < 6; i++) await bury(i % 2, letter(`l-${i}`, String(i)));
    const [first = []] = await all(store, 4);
    await store.remove(first.slice(0, 3));
    await store.remove(first.slice(1, 2));
    const other = connect({ url }).admin.deadLetters?.(spec.name, "g") as DeadLetterStore;
    expect(await other.count()).toBe(3);
    expect((await all(other, 10)).flat().map(bodyOf)).toEqual(["3", "4", "5"]);
    // The same message can fail again after its removal.
    await bury(0, letter("l-0", "0"));
    expect((await all(other, 10)).flat().map(bodyOf)).toEqual(["3", "4", "5", "0"]);
  });

  test("a reading ends with what stood there when it began, and ends early when it is left or aborted", async () => {
    const connection = connect({ url });
    const { store, bury } = await group(connection);
    for (let i = 0; i < 3; i++) await bury(0, letter(`l-${i}`, String(i)));
    const seen: string[] = [];
    for await (const page of store.read({ page: 1 })) {
      seen.push(...page.map(bodyOf));
      await bury(1, letter(`late-${seen.length}`, "late"));
    }
    expect(seen).toEqual(["0", "1", "2"]);
    for await (const page of store.read({ page: 2 })) {
      expect(page.length).toBe(2);
      break;
    }
    const abort = new AbortController();
    const reading = store.read({ page: 1, signal: abort.signal })[Symbol.asyncIterator]();
    expect((await reading.next()).value.map(bodyOf)).toEqual(["0"]);
    abort.abort(new Error("enough"));
    await expect(reading.next()).rejects.toThrow("enough");
    expect(await store.count()).toBe(6);
  });

  test("letters larger than a fetch, of which most are gone, are found", async () => {
    const connection = connect({ url });
    const { store, bury } = await group(connection);
    const large = "x".repeat(700_000);
    for (let i = 0; i < 8; i++) await bury(0, letter(`l-${i}`, `${i}${large}`));
    const pages = await all(store, 7);
    await store.remove(pages.flat().filter((_, i) => i % 3 !== 0));
    expect((await all(store, 1)).flat().map((one) => bodyOf(one).slice(0, 2))).toEqual(["0x", "3x", "6x"]);
  });

  test("a letter goes to its group alone as it was: key, attributes, time, headers of any bytes, and a body that is empty or none", async () => {
    const connection = connect({ url });
    const { spec, store, bury } = await group(connection);
    const headers: Envelope["headers"] = [
      ["blob", Uint8Array.of(0xff, 0, 0xfe)],
      ["twice", "1"],
      ["twice", "ü"],
    ];
    const key = Uint8Array.of(0, 255);
    const originals = [
      envelope("", { key, headers, body: null }),
      envelope("", { headers, body: new Uint8Array() }),
      envelope("x", { key, headers, body: Uint8Array.of(0xff, 0), attributes: {}, contentType: undefined, timestamp: 1_234 }),
    ];
    for (const [i, one] of originals.entries()) {
      await bury(0, { ...one, headers: [...headers, ["waybill-dead-letter-id", `l-${i}`]] });
    }
    const letters = (await all(store, 10)).flat();
    const publisher = connection.publisher("copy");
    const to = { kind: "group", topic: spec, partition: 0, group: "g" } as const;
    const again = letters.map(({ envelope }) => ({
      ...envelope,
      headers: envelope.headers.filter(([name]) => !name.startsWith("waybill-")),
    }));
    await publisher.publish(to, again, { deadline: Date.now() + 20_000 });
    const sink = new RecordingSink();
    const other = new RecordingSink();
    await connection.consume(consumeSpec(spec), sink).ready;
    await connection.consume(consumeSpec(spec, { group: "other" }), other).ready;
    await sink.until(() => sink.received.length === 3);
    const plain = ({ attributes, contentType, key, body, timestamp, headers }: Envelope) => ({
      ...{ attributes, contentType, timestamp },
      key: key === undefined ? undefined : [...key],
      body: body === null ? null : [...body],
      headers: headers.map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
    });
    expect(sink.received.map(({ message }) => plain(message))).toEqual(originals.map(plain));
    expect(other.received).toEqual([]);
  });

  test("a replay brings a foreign message to its group alone, byte for byte", async () => {
    const codec: Codec = { contentType: "application/octet-stream", encode: () => Buffer.alloc(0), decode: (body) => body };
    const orders = topic(topicSpec().name, { key: () => "k", partitions: 2, codec });
    await using bus = createBus({ app: "test", logger: silentLogger, transport: kafka({ url }) });
    const got: Delivery[] = [];
    const others: Delivery[] = [];
    let broken = true;
    await bus.subscribe(orders, { group: "others" }, (delivery) => void others.push(delivery));
    await bus.subscribe(orders, { group: "billing", retry: { attempts: 1 } }, (delivery) => {
      if (broken) throw new Error("declined");
      got.push(delivery);
    });
    const blob = Buffer.of(0xff, 0, 0xfe, 0x80);
    await foreign(orders.name, [
      { key: Buffer.of(0xff, 1), value: blob, headers: { blob, text: "ü", none: "" } },
      { key: null, value: Buffer.alloc(0), headers: {} },
    ]);
    const letters = bus.admin.deadLetters(orders, "billing");
    await vi.waitFor(async () => expect(await letters.count()).toBe(2), { timeout: 15_000 });
    broken = false;
    expect(await letters.replay()).toBe(2);
    await vi.waitFor(() => expect(got.length).toBe(2), { timeout: 15_000 });
    const [first, second] = got.sort((a, b) => b.raw.body.byteLength - a.raw.body.byteLength) as [Delivery, Delivery];
    expect(Buffer.from(first.raw.body)).toEqual(blob);
    expect(nativeOf(first).key).toEqual(Buffer.of(0xff, 1));
    expect(nativeOf(first).headers).toMatchObject({ blob, text: Buffer.from("ü"), none: Buffer.alloc(0) });
    expect(second.raw.body.byteLength).toBe(0);
    expect(nativeOf(second).key).toBeNull();
    expect(await letters.count()).toBe(0);
    expect(others.length).toBe(2);
  });
});

const letter = (id: string, body: string): Envelope => envelope(body, { headers: [["waybill-dead-letter-id", id]] });

const bodyOf = ({ envelope }: StoredDeadLetter): string => Buffer.from(envelope.body ?? []).toString();

const nativeOf = ({ raw }: Delivery) => raw.native as { readonly key: Buffer | null; readonly headers: object };

/** A topic with group `g`, its store, and a way to write letters into it that waits until the clock has moved on. */
async function group(connection: Connection) {
  const spec: TopicSpec = topicSpec({ groups: ["g"] });
  await connection.provision(spec, "create", {});
  const store = connection.admin.deadLetters?.(spec.name, "g") as DeadLetterStore;
  const publisher = connection.publisher("copy");
  let last = 0;
  const bury = async (partition: number, envelope: Envelope): Promise<void> => {
    await vi.waitUntil(() => Date.now() > last, { interval: 1 });
    last = Date.now();
    const to = { kind: "dead", topic: spec, partition, group: "g" } as const;
    const [outcome] = await publisher.publish(to, [envelope], { deadline: Date.now() + 20_000 });
    if (outcome?.stored !== true) throw outcome?.error;
  };
  return { spec, store, bury };
}

async function all(store: DeadLetterStore, page: number): Promise<(readonly StoredDeadLetter[])[]> {
  const pages: (readonly StoredDeadLetter[])[] = [];
  for await (const one of store.read({ page })) pages.push(one);
  return pages;
}

async function foreign(
  name: string,
  messages: { key: Buffer | null; value: Buffer; headers: Record<string, Buffer | string> }[],
) {
  const producer = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({ topic: name, messages: messages.map((message) => ({ ...message, partition: 0 })) });
  await producer.disconnect();
}
