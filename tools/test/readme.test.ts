import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { compilers, root, run, scratchFolder, typeCheck } from "./scratch.ts";

/**
 * The code of the READMEs and of the guide to testing, taken at its word: every block that is marked `ts` is a file of its own, named by a first line such
 * as `// contracts/orders.ts`, and is type-checked and run on the memory transport. One marked `ts no-run` is only checked.
 */
function programs(markdown: string) {
  return [...markdown.matchAll(/^```ts\b(?<mark>.*)\n(?<code>[\s\S]*?)^```$/gm)].map(
    ({ groups: { mark = "", code = "" } = {} }, index) => ({
      file: /^\/\/ (\S+\.ts)\b/.exec(code)?.[1] ?? `program-${index + 1}.ts`,
      code,
      runs: mark.trim() !== "no-run",
    }),
  );
}

const pages = globSync(["README.md", "packages/*/README.md", "docs/testing.md"], { cwd: root });

describe.each(pages)("the code in %s", (page) => {
  const folder = scratchFolder();
  afterAll(() => folder[Symbol.dispose]());

  const found = programs(readFileSync(join(root, page), "utf8"));
  for (const { file, code } of found) {
    mkdirSync(dirname(join(folder.path, file)), { recursive: true });
    writeFileSync(join(folder.path, file), code);
  }
  writeFileSync(join(folder.path, "package.json"), JSON.stringify({ type: "module" }));
  symlinkSync(join(root, "node_modules"), join(folder.path, "node_modules"));

  test.each(compilers)("passes the type check of %s", async (compiler) => {
    await typeCheck(folder.path, compiler, { customConditions: ["@waybill/source"], skipLibCheck: true });
  });

  test.each(found.filter(({ runs }) => runs))("runs: $file", async ({ file }) => {
    await run(folder.path, "node", ["--conditions=@waybill/source", file], { WAYBILL_TRANSPORT: "memory:" });
  });
});
