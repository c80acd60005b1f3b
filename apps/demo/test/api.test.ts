import { randomUUID } from "node:crypto";
import { createBus } from "@waybill/core";
import { afterEach, expect, test } from "vitest";
import { createApi } from "../src/api.ts";
import { Board, runBoard } from "../src/board.ts";

const FLIGHT = { id: 7, date: "2001/01/02 10:00", delay: 61, distance: 100, origin: "JFK", destination: "LAX" };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The API over `transport`; `board` is fed by what it publishes. */
function open({ transport = `memory:${randomUUID()}`, timeout = 5_000 } = {}) {
  const bus = createBus({ app: "board", transport, logger: { debug() {}, info() {}, warn() {}, error() {} } });
  const board = new Board();
  const api = createApi({ bus, board, timeout });
  closing.push(
    () => api.close(),
    () => bus.close(),
  );
  return { api, bus, board };
}

test("a flight, an array and one a line are all answered with the ids of their messages", async () => {
  const { api } = open();
  const post = (payload: unknown, type = "application/json") =>
    api.inject({ method: "POST", url: "/flights", headers: { "content-type": type }, payload: payload as string });
  expect((await post(FLIGHT)).json()).toEqual({ ids: ["flight-7"] });
  expect((await post([FLIGHT, { ...FLIGHT, id: 8 }])).json()).toEqual({ ids: ["flight-7", "flight-8"] });
  const lines = `${JSON.stringify(FLIGHT)}\n${JSON.stringify({ ...FLIGHT, id: 9 })}\n`;
  const answer = await post(lines, "application/x-ndjson");
  expect([answer.statusCode, answer.json()]).toEqual([202, { ids: ["flight-7", "flight-9"] }]);
});

test("a batch with one flight that is wrong is refused with the path to it, and none of it is published", async () => {
  const { api, bus, board } = open();
  await runBoard(bus, board);
  const answer = await api.inject({
    method: "POST",
    url: "/flights",
    payload: [FLIGHT, { ...FLIGHT, id: 8, origin: "New York" }],
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: "FLIGHTS_INVALID", issues: [{ path: [1, "origin"] }] });
  await api.inject({ method: "POST", url: "/flights", payload: { ...FLIGHT, id: 9 } });
  await expect.poll(() => [...board.counted]).toEqual(["flight-9"]);
});

test("lines that are no JSON are the caller's mistake", async () => {
  const { api } = open();
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await api.inject({ method: "POST", url: "/flights", headers, payload: "{nonsense" });
  expect(answer.statusCode).toBe(400);
});

test("a broker that does not answer in time gives 503 and the advice to try again", async () => {
  const { api } = open({ transport: "kafka://127.0.0.1:1", timeout: 200 });
  const answer = await api.inject({ method: "POST", url: "/flights", payload: FLIGHT });
  expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "1"]);
});

test("the board shows the busiest airport first, and health says that the bus is up", async () => {
  const { api, bus, board } = open();
  await runBoard(bus, board);
  const payload = [FLIGHT, { ...FLIGHT, id: 8, origin: "ORD", delay: 0 }, { ...FLIGHT, id: 9, origin: "ORD", delay: 5 }];
  await api.inject({ method: "POST", url: "/flights", payload });
  await expect
    .poll(async () => (await api.inject("/board")).json())
    .toEqual([
      { airport: "ORD", flights: 2, meanDelay: 2.5, latest: FLIGHT.date },
      { airport: "JFK", flights: 1, meanDelay: 61, latest: FLIGHT.date },
    ]);
  const health = await api.inject("/health");
  expect([health.statusCode, health.json().status]).toEqual([200, "up"]);
});
