import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, createBus, type Logger } from "@waybill/core";
import { Alerts, runAlerts } from "./alerts.ts";
import { createApi } from "./api.ts";
import { Board, runBoard } from "./board.ts";
import { delays, flights } from "./contracts.ts";
import { Incidents } from "./incidents.ts";
import { runNotifier } from "./notifier.ts";
import { Pager } from "./pager.ts";

/** Where Departures runs. */
export interface DeparturesOptions {
  /** URL of the broker: all that changes between brokers. */
  readonly transport: string;
  /** In front of every name on the broker. */
  readonly prefix: string;
  /** Leaves the topics on the broker at the end instead of removing them. */
  readonly keep: boolean;
  /** Of the API on the loopback address; 0 for any that is free. */
  readonly port: number;
  readonly logger: Logger;
  /** Ends the wait for a broker that does not answer. */
  readonly signal: AbortSignal;
}

/** Departures as it runs; disposing of it closes the API, then each service after those whose messages it takes. */
export interface Departures extends AsyncDisposable {
  /** Base URL of the API. */
  readonly url: string;
  /** Name of the transport. */
  readonly transport: string;
  readonly board: Board;
  readonly alerts: Alerts;
  readonly pager: Pager;
  readonly incidents: Incidents;
}

/**
 * Starts all services: one API, three consumers. They share this process only so that one command shows all of it; each has a bus of
 * its own, under its own name, as it would have in a process of its own.
 */
export async function startDepartures(options: DeparturesOptions): Promise<Departures> {
  const { transport, prefix, keep, port, logger, signal } = options;
  const [board, alerts, pager, incidents] = [new Board(), new Alerts(), new Pager(), new Incidents()];
  // What was started last is closed first, also when a later start fails.
  await using started = new AsyncDisposableStack();
  // `app` names the service: the bus subscribes as the group of that name.
  const service = (app: string): Bus => started.use(createBus({ app, transport, prefix, logger }).use(incidents));

  const bus = service("api");
  await bus.ready({ topics: [flights, delays], timeout: "30s", signal });
  if (!keep) started.defer(() => removeTopics(bus));
  await runNotifier(service("notify"), pager);
  await runAlerts(service("alerts"), alerts);
  await runBoard(service("board"), board);

  const api = createApi({ bus, board });
  started.defer(() => api.close());
  const url = await api.listen({ host: "127.0.0.1", port });
  const name = (await bus.health()).transport;
  const all = started.move();
  return { url, transport: name, board, alerts, pager, incidents, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Within ten seconds or not at all: a broker that is down must not keep the demo from ending. */
async function removeTopics({ admin }: Bus): Promise<void> {
  const over = new AbortController();
  const removed = Promise.all([admin.deleteTopic(flights), admin.deleteTopic(delays)]);
  try {
    await Promise.race([removed, sleep(10_000, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
