import { expect, test } from "vitest";
import { Board } from "../src/board.ts";
import { check, expectedOf, type Outcome } from "../src/check.ts";
import type { Flight } from "../src/contracts.ts";
import { readFlights } from "../src/data.ts";

const flights = await readFlights(500);
const expected = expectedOf(flights);

/** What comes of `fed` when nothing else goes wrong. */
function outcome(fed: readonly Flight[], change: Partial<Outcome> = {}): Outcome {
  const board = new Board();
  for (const flight of fed) board.count(`flight-${flight.id}`, flight);
  const [dead = "", ...sent] = expected.alerts;
  const settled = { alerted: expected.alerts, notified: new Set(sent), deadLettered: new Set([dead]) };
  return { rows: board.rows(), counted: board.counted, disorder: board.disorder, ...settled, ...change };
}

/** Indexes of the claims that do not hold. */
function broken(result: Outcome): number[] {
  return check(expected, result).flatMap(({ problems }, index) => (problems.length > 0 ? [index] : []));
}

test("a run without faults proves every claim", () => {
  expect(broken(outcome(flights))).toEqual([]);
});

test("a message that comes again is not counted again", () => {
  expect(broken(outcome(flights.flatMap((flight) => [flight, flight])))).toEqual([]);
});

test("a lost flight breaks the figures and the count", () => {
  expect(broken(outcome(flights.slice(1)))).toEqual([0, 1]);
});

test("a flight counted under a second id breaks the figures and the count", () => {
  const board = new Board();
  for (const flight of [...flights, flights[3] as Flight]) board.count(`flight-${board.counted.size}`, flight);
  expect(broken(outcome(flights, { rows: board.rows(), counted: board.counted }))).toEqual([0, 1]);
});

test("two flights of an airport that change places break the order", () => {
  const [first, second] = flights.filter(({ origin }) => origin === "ORD");
  const swapped = flights.map((flight) => (flight === first ? second : flight === second ? first : flight)) as Flight[];
  expect(broken(outcome(swapped))).toEqual([2]);
});

test("an alert that is missing, never settled, or settled both ways is found", () => {
  const [some = "", ...rest] = expected.alerts;
  expect(broken(outcome(flights, { alerted: new Set(rest) }))).toEqual([3, 4]);
  expect(broken(outcome(flights, { notified: new Set(), deadLettered: new Set(rest) }))).toEqual([4]);
  expect(broken(outcome(flights, { notified: expected.alerts, deadLettered: new Set([some]) }))).toEqual([4]);
});
