import { defineConfig } from "tsup";

/** How every package is built: JavaScript here, declarations by `tsc` (tsup's own need TypeScript's old compiler API). */
export default defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "node22",
  platform: "node",
  sourcemap: true,
  clean: true,
  dts: false,
});
