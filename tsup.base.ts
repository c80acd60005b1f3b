import { defineConfig } from "tsup";

/** How every package becomes JavaScript. Declarations come from `tsc`: tsup's own need a compiler API that TypeScript 7 lacks. */
export default defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "node22",
  platform: "node",
  sourcemap: true,
  clean: true,
  silent: true,
});
