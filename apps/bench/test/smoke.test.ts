import { expect, inject, test } from "vitest";
import { benchmarks } from "../src/benchmarks/index.ts";

for (const { name, broker, run } of benchmarks) {
  test(`${name} runs to its end and gives figures of that name`, { timeout: 90_000 }, async ({ skip }) => {
    const provided = broker === "kafka" || broker === "rabbitmq" ? inject(broker) : { url: "memory:" };
    if (provided.url === undefined) return skip(provided.skip);
    const figures = await run({ url: provided.url, messages: 40, pairs: 1 });
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) {
      expect(figure.name.startsWith(name)).toBe(true);
      expect(figure.pairs).toBe(1);
      // So few messages may take less than a clock shows.
      expect(figure.ours).toBeGreaterThanOrEqual(0);
      expect(figure.theirs).toBeGreaterThanOrEqual(0);
    }
  });
}
