import { setTimeout as sleep } from "node:timers/promises";
import type { Flight } from "./contracts.ts";

/** How flights are fed. */
export interface FeedOptions {
  /** Requests in flight. @default 8 */
  readonly lanes?: number;
  /** Flights a request. @default 50 */
  readonly batch?: number;
  /** About how many flights a second at most. @default no limit */
  readonly rate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What feeding took. */
export interface Fed {
  flights: number;
  requests: number;
  /** Requests made again because the API had answered 503. */
  repeated: number;
}

/** How long one batch is offered again and again, in milliseconds. */
const PATIENCE = 180_000;

/**
 * Sends flights to the API, several requests at a time, and yet those of one airport in order: requests that are under way
 * together may be served in any order, so an airport always takes the same lane, and a lane makes one request after another.
 * `fed` is kept up to date meanwhile.
 */
export async function feed(api: string, flights: readonly Flight[], fed: Fed, options: FeedOptions = {}): Promise<void> {
  const { lanes = 8, batch = 50, rate = Number.POSITIVE_INFINITY } = options;
  // One lane that fails ends the others.
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal ? [options.signal] : [])]);
  const pause = (1_000 * batch * lanes) / rate;
  const run = async (lane: readonly Flight[]): Promise<void> => {
    for (let start = 0; start < lane.length; start += batch) {
      const next = Date.now() + pause;
      fed.flights += await post(`${api}/flights`, lane.slice(start, start + batch), fed, signal);
      if (pause > 0) await sleep(Math.max(0, next - Date.now()), undefined, { signal });
    }
  };
  const byLane = Map.groupBy(flights, ({ origin }) => laneOf(origin, lanes));
  try {
    await Promise.all(Array.from(byLane.values(), run));
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}

function laneOf(airport: string, lanes: number): number {
  return [...airport].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 0) % lanes;
}

/** Gives the number of flights that the API has answered for. */
async function post(url: string, batch: readonly Flight[], fed: Fed, signal: AbortSignal): Promise<number> {
  const giveUp = Date.now() + PATIENCE;
  const request = {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: batch.map((flight) => JSON.stringify(flight)).join("\n"),
    signal,
  };
  for (;;) {
    fed.requests += 1;
    const response = await fetch(url, request);
    const answer = await response.text();
    if (response.status === 202) return JSON.parse(answer).ids.length;
    if (response.status !== 503 || Date.now() > giveUp) throw new Error(`${url} answered ${response.status}: ${answer}`);
    fed.repeated += 1;
    await sleep(1_000 * Number(response.headers.get("retry-after") ?? 1), undefined, { signal });
  }
}
