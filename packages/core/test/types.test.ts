import { join } from "node:path";
import { describe, test } from "vitest";
import { compilers, root, run } from "../../../tools/test/scratch.ts";

describe("the programs of users compile without a type argument, and what must not compile does not", () => {
  test.each(compilers)("with %s", async (compiler) => {
    await run(import.meta.dirname, "node", [join(root, "node_modules", compiler, "bin/tsc"), "-p", "types"]);
  });
});
