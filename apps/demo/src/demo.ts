import { setTimeout as sleep } from "node:timers/promises";
import { type Claim, check, type Expected, expectedOf, type Outcome } from "./check.ts";
import type { Flight } from "./contracts.ts";
import type { Departures } from "./departures.ts";
import { type Fed, feed } from "./feeder.ts";

/** How far a run has come. */
export interface Progress {
  /** Flights that the API has taken. */
  readonly fed: number;
  /** Flights on the board. */
  readonly counted: number;
  /** Alerts that were published. */
  readonly alerted: number;
  /** Alerts that were sent or dead-lettered. */
  readonly settled: number;
}

/** What a run came to. */
export interface Result {
  readonly fed: Fed;
  readonly claims: readonly Claim[];
  /** Milliseconds from the first request to the last outcome. */
  readonly ms: number;
}

/** How a run is made. */
export interface RunOptions {
  /** Flights a second. @default no limit */
  readonly rate?: number | undefined;
  readonly signal: AbortSignal;
  /** Called ten times a second. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Milliseconds without any progress after which the rest counts as lost. */
const STALLED = 60_000;

/** Feeds the flights, waits until all that must come of them has come, and compares. Rejects when the API refuses or `signal` aborts. */
export async function run(departures: Departures, flights: readonly Flight[], options: RunOptions): Promise<Result> {
  const { signal, rate, onProgress } = options;
  const expected = expectedOf(flights);
  const fed: Fed = { flights: 0, requests: 0, repeated: 0 };
  const begun = performance.now();
  const over = new AbortController();
  const until = { signal: AbortSignal.any([signal, over.signal]), onProgress };
  try {
    await Promise.all([feed(departures.url, flights, fed, { rate, signal }), arrivals(departures, expected, fed, until)]);
  } finally {
    over.abort();
  }
  const ms = performance.now() - begun;
  return { fed, claims: check(expected, outcomeOf(departures)), ms };
}

/** Resolves when everything expected has arrived, or nothing has for so long that it never will. */
async function arrivals(
  departures: Departures,
  expected: Expected,
  fed: Fed,
  { signal, onProgress }: Pick<RunOptions, "signal" | "onProgress">,
): Promise<void> {
  const { board, alerts, pager, incidents } = departures;
  for (let last = "", since = Date.now(); Date.now() - since < STALLED; await sleep(100, undefined, { signal })) {
    const settled = pager.sent.size + incidents.deadLetters.size;
    const progress: Progress = { fed: fed.flights, counted: board.counted.size, alerted: alerts.published.size, settled };
    onProgress?.(progress);
    if (progress.counted >= expected.flights.size && Math.min(progress.alerted, settled) >= expected.alerts.size) return;
    if (JSON.stringify(progress) === last) continue;
    last = JSON.stringify(progress);
    since = Date.now();
  }
}

function outcomeOf({ board, alerts, pager, incidents }: Departures): Outcome {
  return {
    rows: board.rows(),
    counted: board.counted,
    disorder: board.disorder,
    alerted: new Set(alerts.published.keys()),
    notified: pager.sent,
    deadLettered: new Set(incidents.deadLetters.keys()),
  };
}
