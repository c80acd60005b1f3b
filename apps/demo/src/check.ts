import type { Row } from "./board.ts";
import type { Flight } from "./contracts.ts";

/** What the services came to, as far as it can be checked. Flights and alerts go by their message ids. */
export interface Outcome {
  readonly rows: readonly Row[];
  readonly counted: ReadonlySet<string>;
  readonly disorder: readonly string[];
  readonly alerted: ReadonlySet<string>;
  readonly notified: ReadonlySet<string>;
  readonly deadLettered: ReadonlySet<string>;
}

/** Something that must be true, and where it is not. */
export interface Claim {
  readonly claim: string;
  readonly problems: readonly string[];
}

/** What must come of `flights`, computed from them alone. */
export interface Expected {
  readonly rows: ReadonlyMap<string, Row>;
  readonly flights: ReadonlySet<string>;
  readonly alerts: ReadonlySet<string>;
}

/** The direct computation: no broker, no services, none of their code. */
export function expectedOf(flights: readonly Flight[]): Expected {
  const rows = [...Map.groupBy(flights, ({ origin }) => origin)].map(([airport, own]): [string, Row] => {
    const meanDelay = own.reduce((sum, { delay }) => sum + delay, 0) / own.length;
    const latest =
      own
        .map(({ date }) => date)
        .sort()
        .at(-1) ?? "";
    return [airport, { airport, flights: own.length, meanDelay, latest }];
  });
  return {
    rows: new Map(rows),
    flights: new Set(flights.map(({ id }) => `flight-${id}`)),
    alerts: new Set(flights.filter(({ delay }) => delay > 60).map(({ id }) => `delayed-${id}`)),
  };
}

/** Compares what came of the flights with what must have. */
export function check(expected: Expected, outcome: Outcome): Claim[] {
  const { rows, counted, disorder, alerted, notified, deadLettered } = outcome;
  const total = rows.reduce((sum, { flights }) => sum + flights, 0);
  const twice = total === counted.size ? [] : [`the board shows ${total} flights from ${counted.size} messages`];
  const both = without(notified, without(notified, deadLettered));
  return [
    {
      claim: "every airport's figures are those of a direct computation over the file",
      problems: differences(expected.rows, rows),
    },
    {
      claim: "no flight is missing, none was counted twice",
      problems: [...compare("flight", expected.flights, counted), ...twice],
    },
    { claim: "no airport's flights came out of order", problems: disorder },
    { claim: "every delay over an hour was alerted, and nothing else", problems: compare("alert", expected.alerts, alerted) },
    {
      claim: "every alert was either sent or dead-lettered",
      problems: [
        ...compare("outcome of", alerted, new Set([...notified, ...deadLettered])),
        ...Array.from(both, (id) => `${id} was sent and dead-lettered`),
      ],
    },
  ];
}

function differences(expected: ReadonlyMap<string, Row>, rows: readonly Row[]): string[] {
  const shown = new Map(rows.map((row) => [row.airport, row]));
  const airports = new Set([...expected.keys(), ...shown.keys()]);
  return [...airports]
    .map((airport) => [airport, JSON.stringify(shown.get(airport)), JSON.stringify(expected.get(airport))])
    .filter(([, board, file]) => board !== file)
    .map(([airport, board, file]) => `${airport}: the board has ${board ?? "nothing"}, the file ${file ?? "nothing"}`);
}

function compare(what: string, expected: ReadonlySet<string>, actual: ReadonlySet<string>): string[] {
  return [
    ...Array.from(without(expected, actual), (id) => `${what} ${id} is missing`),
    ...Array.from(without(actual, expected), (id) => `${what} ${id} should not be there`),
  ];
}

function without(ids: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ids].filter((id) => !others.has(id)));
}
