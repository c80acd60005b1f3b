import { expect, test } from "vitest";
import { WaybillError } from "../../src/errors.ts";
import { type Logger, silentLogger } from "../../src/logger.ts";
import { Sender, type SenderOptions } from "../../src/publish/sender.ts";
import { ManualClock } from "../manual-clock.ts";
import { ModelBroker, type Plan } from "./model-broker.ts";
import { destination, envelope, tick } from "./sending.ts";

const FOREVER = { deadline: Number.POSITIVE_INFINITY };

function setUp(plans: readonly Partial<Plan>[] = [], options: Partial<SenderOptions> = {}) {
  const clock = new ManualClock();
  const smooth: Plan = { delay: 1, answered: Number.POSITIVE_INFINITY, stored: 0, contract: "keeps" };
  const broker = new ModelBroker(
    clock,
    plans.map((plan) => ({ ...smooth, ...plan })),
  );
  const sender = new Sender(broker, { clock, logger: silentLogger, ...options });
  const send = (id: string, partition = 0, how: Parameters<Sender["send"]>[2] = FOREVER) =>
    sender.send(destination(partition), envelope(id), how);
  return { clock, broker, sender, send };
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await tick();
  return done;
}

test("an idle destination is given a message at once, and what is sent in the same turn with it", async () => {
  const { broker, send } = setUp();
  void send("a");
  void send("b");
  await Promise.resolve();
  expect(broker.batches).toEqual([["a", "b"]]);
});

test("what is sent while a batch is in flight goes into the next one, and other destinations do not wait", async () => {
  const { clock, broker, send } = setUp();
  void send("a");
  await tick();
  void send("b");
  void send("c");
  void send("d", 1);
  await tick();
  expect(broker.batches).toEqual([["a"], ["d"]]);
  clock.advance(1);
  await tick();
  expect(broker.batches).toEqual([["a"], ["d"], ["b", "c"]]);
});

test("past the limits a message waits its turn, whatever its destination", async () => {
  const { clock, broker, sender, send } = setUp([], { limits: { messages: 2, bytes: 1_000_000 } });
  void send("a");
  void send("b");
  void send("c", 1);
  void send("d", 2);
  await tick();
  expect(broker.batches).toEqual([["a", "b"]]);
  expect(sender.inFlight.messages).toBe(2);
  clock.advance(1);
  await tick();
  expect(broker.batches).toEqual([["a", "b"], ["c"], ["d"]]);
});

test("a message that times out while it is with the transport keeps its destination until the answer comes", async () => {
  const { clock, broker, sender, send } = setUp([{ delay: 60_000 }]);
  const late = send("late", 0, { deadline: clock.now() + 1_000 });
  await tick();
  const next = send("next");
  clock.advance(1_000);
  await expect(late).rejects.toMatchObject({ code: "WAYBILL_PUBLISH_TIMEOUT", stored: "unknown", retryable: true, topic: "t" });
  expect(broker.batches).toEqual([["late"]]);
  expect(sender.inFlight.messages).toBe(2);
  clock.advance(59_000);
  await tick();
  expect(broker.batches).toEqual([["late"], ["next"]]);
  clock.advance(1);
  await expect(next).resolves.toBe("1");
});

test("a timeout tells why the last attempt failed, and that nothing was stored where that is certain", async () => {
  const { clock, send } = setUp(Array.from({ length: 50 }, () => ({ answered: 0 })));
  const late = send("late", 0, { deadline: clock.now() + 2_000 });
  const failed = expect(late).rejects.toMatchObject({ stored: "no", cause: { code: "WAYBILL_CONNECTION_FAILED" } });
  for (let ms = 0; ms < 3_000; ms += 10) {
    clock.advance(10);
    await tick();
  }
  await failed;
});

test("one signal serves any number of messages", async () => {
  const { broker, send, sender } = setUp([{ delay: 60_000 }]);
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...call: Parameters<typeof add>) => {
    listeners++;
    add(...call);
  };
  const sent = Array.from({ length: 2_000 }, (_, i) => send(String(i), 0, { ...FOREVER, signal }).catch(() => {}));
  await tick();
  expect(listeners).toBe(1);
  await Promise.all([sender.close(), ...sent]);
  expect(broker.closed).toBe(1);
});

test("a signal that has aborted already sends nothing", async () => {
  const { broker, send } = setUp();
  await expect(send("a", 0, { ...FOREVER, signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  await tick();
  expect(broker.batches).toEqual([]);
});

test("nothing keeps the process alive once all is settled", async () => {
  const clock = new ManualClock();
  const running = new Set<object>();
  const counted = {
    now: () => clock.now(),
    after(ms: number, callback: () => void) {
      const timer = {};
      running.add(timer);
      const cancel = clock.after(ms, () => {
        running.delete(timer);
        callback();
      });
      return () => {
        running.delete(timer);
        cancel();
      };
    },
  };
  const sender = new Sender(new ModelBroker(clock), { clock: counted, logger: silentLogger });
  const sent = sender.send(destination(0), envelope("a"), { deadline: clock.now() + 30_000 });
  expect(running.size).toBe(1);
  await tick();
  clock.advance(1);
  await sent;
  expect(running.size).toBe(0);
});

test("a transport that breaks its contract is reported, and what it was given is sent again", async () => {
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (_, message) => void errors.push(message) };
  const { clock, broker, send } = setUp([{ contract: "rejects" }, { contract: "miscounts" }], { logger });
  const sent = send("a");
  while (!(await settled(sent))) clock.advance(100);
  await expect(sent).resolves.toBe("2");
  expect(broker.batches).toEqual([["a"], ["a"], ["a"]]);
  expect(errors).toEqual([
    expect.stringContaining("a defect of the adapter"),
    expect.stringContaining("0 outcomes for 1 messages"),
  ]);
});

test("flush resolves when all is settled", async () => {
  const { clock, sender, send } = setUp();
  await sender.flush();
  const sent = send("a");
  const flushed = sender.flush();
  expect(await settled(flushed)).toBe(false);
  clock.advance(1);
  await Promise.all([sent, flushed]);
});

test("close rejects what is left, says what may have been stored, and takes nothing more", async () => {
  const { broker, sender, send } = setUp([{ delay: 60_000 }]);
  const given = send("a");
  await tick();
  const queued = send("b");
  const closing = sender.close();
  expect(sender.close()).toBe(closing);
  const errors = await Promise.all([given, queued, send("c")].map((one) => one.catch((error: unknown) => error)));
  for (const error of errors) expect(error).toBeInstanceOf(WaybillError);
  expect(errors).toMatchObject([{ code: "WAYBILL_CLOSED" }, { code: "WAYBILL_CLOSED" }, { code: "WAYBILL_CLOSED" }]);
  expect(errors.map(String)).toEqual([
    expect.stringContaining("may have been stored"),
    expect.stringContaining("not stored"),
    expect.stringContaining("not stored"),
  ]);
  await closing;
  expect(broker.closed).toBe(1);
});

test("close ends the wait before another attempt", async () => {
  const { clock, sender, send } = setUp([{ answered: 0 }]);
  const sent = send("a").catch((error: unknown) => error);
  await tick();
  clock.advance(1);
  await tick();
  await sender.close();
  await expect(sent).resolves.toMatchObject({ code: "WAYBILL_CLOSED", cause: { code: "WAYBILL_CONNECTION_FAILED" } });
  expect(sender.inFlight).toEqual({ messages: 0, bytes: 0 });
});
