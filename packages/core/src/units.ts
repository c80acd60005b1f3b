/** Milliseconds, or a string with a unit: `250`, `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"7d"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** Bytes, or a string with a unit: `4096`, `"512B"`, `"64KiB"`, `"1MiB"`. */
export type Size = number | `${number}${"B" | "KiB" | "MiB"}`;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576 };

/** The milliseconds of a duration, or `undefined` where `value` is none (negative, not finite, an unknown unit). */
export function toMilliseconds(value: unknown): number | undefined {
  return toNumber(value, MILLISECONDS);
}

/** The bytes of a size, or `undefined` where `value` is none. */
export function toBytes(value: unknown): number | undefined {
  return toNumber(value, BYTES);
}

function toNumber(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined;
  const [, digits, unit] = typeof value === "string" ? (/^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(value) ?? []) : [];
  const factor = unit === undefined ? undefined : units[unit];
  return factor === undefined ? undefined : Number(digits) * factor;
}
