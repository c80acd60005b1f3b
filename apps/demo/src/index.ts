import { Console } from "node:console";
import { once } from "node:events";
import { WaybillError } from "@waybill/core";
import { readFlights } from "./data.ts";
import { run } from "./demo.ts";
import { startDepartures } from "./departures.ts";
import { readOptions } from "./options.ts";
import { progressBar } from "./progress.ts";
import { render, summarise } from "./report.ts";

const options = readOptions(process.argv.slice(2));
const { transport, port, rate } = options;
// A broker remembers: a run must not meet the flights of the run before. Names that were asked for stay on the broker.
const keep = options.prefix !== undefined;
const prefix = options.prefix ?? `demo-${Date.now().toString(36)}-${process.pid}.`;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const logger = options.verbose ? Object.assign(new Console(process.stderr), { debug: quiet.debug }) : quiet;

const interruption = new AbortController();
const { signal } = interruption;
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interruption.abort());

try {
  const flights = await readFlights(options.limit);
  await using departures = await startDepartures({ transport, prefix, keep, port, logger, signal });
  console.error(`The API listens on ${departures.url}`);

  const bar = options.progress ? progressBar(flights.length) : undefined;
  const result = await run(departures, flights, { rate, signal, onProgress: bar?.update }).finally(bar?.stop);
  const summary = summarise(departures, result);
  console.log(options.json ? JSON.stringify(summary) : render(summary));
  if (!summary.ok) process.exitCode = 1;

  if (options.serve && !signal.aborted) {
    console.error(`Still serving on ${departures.url}; Ctrl-C drains and ends it`);
    await once(signal, "abort");
  }
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1;
  console.error(signal.aborted ? "Interrupted" : error instanceof WaybillError ? error.message : error);
}
