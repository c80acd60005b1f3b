import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests run on the sources of the packages, not on what was last built.
  ssr: { resolve: { conditions: ["@waybill/source", "node"] } },
  test: {
    include: ["{packages,apps}/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
    // Finds or starts brokers, and says to the tests where they are.
    globalSetup: "tools/src/vitest-setup.ts",
    // Tests of brokers mostly wait: leave no core idle.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
