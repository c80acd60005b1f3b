import { constants } from "node:os";
import type { Bus } from "./bus.ts";
import type { Duration } from "./units.ts";

/** Options of {@link runUntilSignal}. */
export interface RunUntilSignalOptions {
  /** @default ["SIGTERM", "SIGINT"] */
  signals?: readonly NodeJS.Signals[] | undefined;
  /** How long the bus may drain. @default "25s" */
  timeout?: Duration | undefined;
}

/**
 * Keeps a service up until it is told to stop: the first signal closes the bus, which drains; a second one leaves at once, with the exit code that
 * a shell gives to that signal. Resolves when the bus is closed; rejects with `CLOSE_TIMEOUT` where it had to cut.
 */
export async function runUntilSignal(bus: Bus, options: RunUntilSignalOptions = {}): Promise<void> {
  const { signals = ["SIGTERM", "SIGINT"], timeout } = options;
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  let first = true;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!first) process.exit(128 + (constants.signals[signal] ?? 0));
    first = false;
    tell();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await told;
    await bus.close(timeout === undefined ? {} : { timeout });
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
