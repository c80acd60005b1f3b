import { defineConfig } from "vitest/config";

const conditions = ["@waybill/source", "node", "import", "module", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["{packages,apps}/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
    execArgv: ["--conditions=@waybill/source"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
