import { once } from "node:events";
import { expect, test } from "vitest";
import { runDemo, startDemo } from "./child.ts";

const SMALL = ["--limit", "2000", "--no-progress"];

test("the demo on memory ends with every claim proved", async ({ signal }) => {
  const summary = await runDemo([...SMALL, "--transport", "memory:"], signal);
  expect(summary.claims.flatMap(({ problems }) => problems)).toEqual([]);
  expect(summary).toMatchObject({ transport: "memory", ok: true, flights: 2000, duplicates: 0, repeatedRequests: 0 });
  expect(summary.board[0]).toMatchObject({
    airport: expect.stringMatching(/^[A-Z]{3}$/),
    latest: expect.stringMatching(/^2001\/01\//),
  });
});

test("retries and dead letters are seen, the same in every run", async ({ signal }) => {
  const [first, second] = await Promise.all([runDemo(SMALL, signal), runDemo(SMALL, signal)]);
  expect(first.retries).toBeGreaterThan(0);
  expect(Object.keys(first.deadLetters).length).toBeGreaterThan(0);
  expect(first.notified + Object.keys(first.deadLetters).length).toBe(first.alerts);
  expect([second.retries, second.deadLetters]).toEqual([first.retries, first.deadLetters]);
});

test("without --json it prints the ten busiest airports, and no colours where there is no terminal", async ({ signal }) => {
  const { code, stdout } = await startDemo(SMALL, signal).ended;
  expect(code).toBe(0);
  expect(stdout).toContain("2,000 flights over memory");
  expect(stdout).toMatch(/the 10 busiest of \d+ airports/);
  expect(stdout).not.toContain("\u001B[");
});

test("without --transport, WAYBILL_TRANSPORT names the broker; one that nobody has ends the demo with a sentence about it", async ({
  signal,
}) => {
  const { code, stderr } = await startDemo(SMALL, signal, { WAYBILL_TRANSPORT: "nats://localhost" }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^There is no transport for "nats:" URLs/);
});

test("--serve keeps the API up until SIGTERM, and then ends in order", async ({ signal }) => {
  const demo = startDemo(["--limit", "50", "--no-progress", "--json", "--serve"], signal);
  const api = await demo.api;
  await once(demo.process.stdout as NodeJS.ReadableStream, "data");
  const flight = { id: 50, date: "2001/01/02 10:00", delay: 0, distance: 1, origin: "XYZ", destination: "JFK" };
  const answer = await fetch(`${api}/flights`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(flight),
  });
  expect([answer.status, await answer.json()]).toEqual([202, { ids: ["flight-50"] }]);
  await expect.poll(async () => (await fetch(`${api}/board`)).json()).toContainEqual(expect.objectContaining({ airport: "XYZ" }));
  demo.process.kill("SIGTERM");
  expect(await demo.ended).toMatchObject({ code: 0 });
});
