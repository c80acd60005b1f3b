import Table from "cli-table3";
import picocolors from "picocolors";
import type { Row } from "./board.ts";
import type { Claim } from "./check.ts";
import type { Result } from "./demo.ts";
import type { Departures } from "./departures.ts";

/** The result as data. */
export interface Summary {
  readonly transport: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly flights: number;
  readonly alerts: number;
  readonly notified: number;
  /** Why, by message id. */
  readonly deadLetters: Readonly<Record<string, string>>;
  readonly retries: number;
  /** Deliveries and alerts that came again after a fault, and were recognised. */
  readonly duplicates: number;
  readonly requests: number;
  readonly repeatedRequests: number;
  readonly connectionsLost: number;
  readonly claims: readonly Claim[];
  /** All airports, the busiest first. */
  readonly board: readonly Row[];
}

/** Gathers what a run has to show. */
export function summarise({ transport, board, alerts, pager, incidents }: Departures, { fed, claims, ms }: Result): Summary {
  const repeatedAlerts = [...alerts.published.values()].reduce((sum, times) => sum + times - 1, 0);
  return {
    transport,
    ok: claims.every(({ problems }) => problems.length === 0),
    seconds: Math.round(ms / 100) / 10,
    flights: board.counted.size,
    alerts: alerts.published.size,
    notified: pager.sent.size,
    deadLetters: Object.fromEntries(incidents.deadLetters),
    retries: incidents.retries,
    duplicates: board.duplicates + repeatedAlerts + pager.repeated,
    requests: fed.requests,
    repeatedRequests: fed.repeated,
    connectionsLost: incidents.connectionsLost,
    claims,
    board: board.rows(),
  };
}

const SHOWN = 10;
const pc = picocolors.createColors(picocolors.isColorSupported && process.stdout.isTTY === true);

/** The result for people; colours only where there is a terminal to show them. */
export function render(summary: Summary): string {
  const { flights, seconds, transport, alerts, notified, retries, duplicates, repeatedRequests, connectionsLost } = summary;
  const dead = Object.entries(summary.deadLetters);
  const lines = [
    pc.bold(`${count(flights)} flights over ${transport} in ${seconds} s`),
    table(summary.board),
    `${count(alerts)} alerts for delays over an hour: ${count(notified)} sent, ${retries} retries, ${dead.length} dead letters`,
    ...few(dead.map(([id, reason]) => pc.dim(`  ${id}: ${reason}`))),
    `${connectionsLost} connections lost, ${repeatedRequests} requests repeated, ${duplicates} duplicates dropped`,
    "",
    ...summary.claims.flatMap(({ claim, problems }) => [
      problems.length === 0 ? `${pc.green("✓")} ${claim}` : `${pc.red("✗")} ${claim}: ${count(problems.length)} problems`,
      ...few(problems.map((problem) => pc.red(`  ${problem}`))),
    ]),
  ];
  return lines.join("\n");
}

function table(board: readonly Row[]): string {
  const head = ["airport", "flights", "mean delay", "latest departure"].map(pc.bold);
  const drawn = new Table({
    head,
    style: { compact: true, head: [], border: [] },
    colAligns: ["left", "right", "right", "left"],
  });
  for (const { airport, flights, meanDelay, latest } of board.slice(0, SHOWN)) {
    drawn.push([airport, count(flights), `${meanDelay.toFixed(1)} min`, latest]);
  }
  return `${drawn.toString()}\n${pc.dim(`the ${Math.min(SHOWN, board.length)} busiest of ${board.length} airports`)}`;
}

function few(lines: readonly string[]): string[] {
  return lines.length <= 4 ? [...lines] : [...lines.slice(0, 3), pc.dim(`  and ${count(lines.length - 3)} more`)];
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
