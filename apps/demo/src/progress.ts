import { SingleBar } from "cli-progress";
import type { Progress } from "./demo.ts";

/** A progress bar on standard error; draws nothing where that is no terminal. */
export function progressBar(total: number): { update(progress: Progress): void; stop(): void } {
  const bar = new SingleBar({
    format: " {bar} {percentage}% | {value}/{total} on the board | {fed} fed | {settled} alerts dealt with",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  bar.start(total, 0, { fed: 0, settled: 0 });
  return {
    update: ({ fed, counted, settled }) => bar.update(counted, { fed, settled }),
    stop: () => bar.stop(),
  };
}
