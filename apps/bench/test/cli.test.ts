import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { benchmarks } from "../src/benchmarks/index.ts";

const PROGRAM = new URL("../src/index.ts", import.meta.url).pathname;
const run = promisify(execFile);

function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ["--conditions=@waybill/source", PROGRAM, ...args], { timeout: 25_000 });
}

test("without a name it lists all benchmarks", async () => {
  const { stdout } = await bench();
  for (const { name } of benchmarks) expect(stdout).toContain(name);
});

test("--json prints one object a figure", async () => {
  // Enough for a coarse CPU clock to see.
  const { stdout } = await bench("dispatch.cost", "--messages", "200000", "--pairs", "2", "--json");
  const figures = stdout.trim().split("\n");
  expect(figures.map((line) => JSON.parse(line))).toEqual(
    [1, 1_000, 1_000_000].map((keys) =>
      expect.objectContaining({
        name: `dispatch.cost.${keys}`,
        ours: expect.any(Number),
        theirs: expect.any(Number),
        ratio: expect.any(Number),
        spread: [expect.any(Number), expect.any(Number)],
        pairs: 2,
      }),
    ),
  );
});

test("a suite is run on the brokers that are given, and on no others", async () => {
  const args = ["dispatch", "--transport", "memory:", "--messages", "50", "--pairs", "1"];
  const { stdout, stderr } = await bench(...args);
  expect(stdout).toMatch(/memory\.keyed-work .* messages\/s/);
  expect(stderr).toContain("kafka.keyed-work is left out: no --transport is a kafka");
});

test("a name that nothing has ends it with a sentence about it", async () => {
  await expect(bench("nonsense")).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/no benchmark "nonsense"/) });
});
