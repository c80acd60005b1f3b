import type { Bus, Subscription } from "@waybill/core";
import { type Flight, flights } from "./contracts.ts";

/** What the board shows of one airport. */
export interface Row {
  readonly airport: string;
  readonly flights: number;
  /** Minutes. */
  readonly meanDelay: number;
  /** Local time. */
  readonly latest: string;
}

interface Figures {
  flights: number;
  delay: number;
  latest: Flight;
}

/**
 * The departures of every airport so far.
 *
 * Delivery is at least once: after a crash a message may come again. So the board remembers what it has counted, by message id.
 */
export class Board {
  /** Messages that came again, and were not counted again. */
  duplicates = 0;
  /** Flights that came after a later one of their airport, in words. Messages of one key are in order: there should be none. */
  readonly disorder: string[] = [];
  readonly #counted = new Set<string>();
  readonly #airports = new Map<string, Figures>();

  /** Ids of the messages counted. */
  get counted(): ReadonlySet<string> {
    return this.#counted;
  }

  count(messageId: string, flight: Flight): void {
    if (this.#counted.has(messageId)) {
      this.duplicates += 1;
      return;
    }
    this.#counted.add(messageId);
    const figures = this.#airports.get(flight.origin);
    if (figures === undefined) {
      this.#airports.set(flight.origin, { flights: 1, delay: flight.delay, latest: flight });
      return;
    }
    figures.flights += 1;
    figures.delay += flight.delay;
    if (flight.id < figures.latest.id) this.disorder.push(`${flight.origin}: flight ${flight.id} after ${figures.latest.id}`);
    // Not "the later of the two": the last to come is the last to leave, as long as the order is kept.
    figures.latest = flight;
  }

  /** Busiest airports first. */
  rows(): Row[] {
    return [...this.#airports]
      .map(([airport, { flights, delay, latest }]) => ({ airport, flights, meanDelay: delay / flights, latest: latest.date }))
      .sort((a, b) => b.flights - a.flights || a.airport.localeCompare(b.airport));
  }
}

/** The service behind the group "board". */
export function runBoard(bus: Bus, board: Board): Promise<Subscription> {
  return bus.subscribe(flights, ({ id, payload }) => board.count(id, payload));
}
