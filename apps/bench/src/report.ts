import Table from "cli-table3";
import type { Benchmark } from "./benchmark.ts";
import type { Figure } from "./figure.ts";

/** What there is to run, for people. */
export function list(benchmarks: readonly Benchmark[]): string {
  const table = plain(["suite", "benchmark", "measures"]);
  for (const { suite, name, about } of benchmarks) table.push([suite, name, about]);
  return `${table}\n\nnpm run bench -- <suite or benchmark> [--json]`;
}

/** Figures, for people. */
export function render(figures: readonly Figure[]): string {
  const table = plain(["figure", "ours", "theirs", "unit", "ratio", "spread", "pairs", "target", ""]);
  for (const { name, ours, theirs, unit, ratio, spread, pairs, target, met } of figures) {
    const numbers = [number(ours), number(theirs), unit, number(ratio), spread.map(number).join(" to "), pairs];
    table.push([name, ...numbers, target, met ? "met" : "missed"]);
  }
  const notes = figures.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]));
  return [table.toString(), ...notes].join("\n");
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

/** Columns without lines, so that a narrow terminal can take them. */
function plain(head: string[]): InstanceType<typeof Table> {
  const none = [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
  ] as const;
  const rest = ["left-mid", "mid", "mid-mid", "right", "right-mid"] as const;
  const chars = { ...Object.fromEntries([...none, ...rest].map((name) => [name, ""])), middle: "  " };
  return new Table({ head, chars, style: { head: [], border: [], "padding-left": 0, "padding-right": 0 } });
}
