import { expect, inject, test } from "vitest";
import { runDemo } from "./child.ts";

const SMALL = ["--limit", "2000", "--no-progress"];

for (const broker of ["kafka", "rabbitmq", "rabbitmq4"] as const) {
  const { url, skip } = inject(broker);
  test.skipIf(skip !== undefined)(
    `${broker} gives the board that memory gives${skip ? ` (skipped: ${skip})` : ""}`,
    async ({ signal }) => {
      const memory = await runDemo([...SMALL, "--transport", "memory:"], signal);
      const real = await runDemo([...SMALL, "--transport", url ?? ""], signal);
      expect(real.board).toEqual(memory.board);
      expect(real.deadLetters).toEqual(memory.deadLetters);
      expect([real.alerts, real.notified]).toEqual([memory.alerts, memory.notified]);
    },
  );
}
