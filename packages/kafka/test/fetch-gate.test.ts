import { systemClock } from "@waybill/core/transport";
import { expect, test } from "vitest";
import { FetchGate, type FetchRequest } from "../src/kafkajs/fetch-gate.ts";

const LONG = 60_000;

function requestOf(...partitions: number[]): FetchRequest {
  return { maxWaitTime: LONG, topics: [{ topic: "orders", partitions: partitions.map((partition) => ({ partition })) }] };
}

const of = (partition: number) => ({ topic: "orders", partition });

/** A broker that answers with what it was asked for. */
function brokerOf(asked: FetchRequest[]) {
  return async (request: FetchRequest) => {
    asked.push(request);
    return { responses: [...request.topics] };
  };
}

test("what is held is not asked for", async () => {
  const gate = new FetchGate(systemClock);
  const asked: FetchRequest[] = [];
  gate.hold(of(1));
  await gate.fetch(requestOf(0, 1, 2), brokerOf(asked));
  gate.release(of(1));
  await gate.fetch(requestOf(0, 1, 2), brokerOf(asked));
  expect(asked.map(({ topics }) => topics)).toEqual([requestOf(0, 2).topics, requestOf(0, 1, 2).topics]);
});

test("while something is held, a fetch of the rest waits for no records that may not come", async () => {
  const gate = new FetchGate(systemClock);
  const asked: FetchRequest[] = [];
  gate.hold(of(1));
  await gate.fetch(requestOf(0, 1), brokerOf(asked));
  gate.release(of(1));
  await gate.fetch(requestOf(0, 1), brokerOf(asked));
  expect(asked.map(({ maxWaitTime }) => maxWaitTime)).toEqual([20, LONG]);
});

test("a fetch of nothing but what is held ends, without a request, once something is released", async () => {
  const gate = new FetchGate(systemClock);
  const asked: FetchRequest[] = [];
  gate.hold(of(0));
  gate.hold(of(1));
  const fetched = gate.fetch(requestOf(0, 1), brokerOf(asked));
  gate.release(of(1));
  expect(await fetched).toEqual({ responses: [] });
  expect(asked).toEqual([]);
});

test("a fetch of nothing but what is held waits no longer than the broker would", async () => {
  const gate = new FetchGate(systemClock);
  gate.hold(of(0));
  expect(await gate.fetch({ ...requestOf(0), maxWaitTime: 1 }, brokerOf([]))).toEqual({ responses: [] });
});

test("clearing lets everything go on", async () => {
  const gate = new FetchGate(systemClock);
  const asked: FetchRequest[] = [];
  gate.hold(of(0));
  const fetched = gate.fetch(requestOf(0), brokerOf(asked));
  gate.clear();
  await fetched;
  await gate.fetch(requestOf(0), brokerOf(asked));
  expect(asked).toEqual([requestOf(0)]);
});
