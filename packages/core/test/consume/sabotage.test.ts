import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dispatcher } from "../../src/consume/dispatcher.ts";
import { holdsUnderAnyInterleaving, otherKeysGoOn } from "./interleavings.ts";

/** One line of the engine, broken. Each must be noticed by the interleavings. */
const sabotages: readonly { readonly name: string; readonly file: string; readonly from: string; readonly to: string }[] = [
  {
    name: "settles past unfinished work",
    file: "window.ts",
    from: "head?.finished; head = this.#entries.peek()) {",
    to: "head && this.unsettled > 2; head = this.#entries.peek()) {",
  },
  { name: "makes lanes by a hash of the key", file: "lanes.ts", from: '.toString("latin1")', to: ".byteLength.toString()" },
  { name: "has no lanes", file: "backlog.ts", from: "this.#lanes.add(laneKey(key), entry)", to: "true" },
  {
    name: "drops a lane while its first waits for a retry",
    file: "dispatcher.ts",
    from: 'entry.state = "waiting";\n      this.#inactive(entry);\n      entry.cancelWait',
    to: 'entry.state = "waiting";\n      this.#backlog.leave(entry);\n      this.#inactive(entry);\n      entry.cancelWait',
  },
  {
    name: "takes batches of an epoch that is over",
    file: "dispatcher.ts",
    from: 'window?.source !== source || window.state !== "owned"',
    to: "window === undefined",
  },
  { name: "starts work during a hand-over", file: "dispatcher.ts", from: 'window.state = "closing";', to: "" },
  { name: "forgets what it finished when a source is lost", file: "dispatcher.ts", from: "this.#carried.keep(window);", to: "" },
  { name: "takes a settlement for done before the broker has it", file: "window.ts", from: "this.#sent = this.#passed;", to: "" },
  {
    name: "lets go of a lane while a dead letter is being written",
    file: "dispatcher.ts",
    from: 'entry.state = "held";',
    to: 'entry.state = "held";\n      this.#backlog.leave(entry);',
  },
  {
    name: "runs more than its concurrency",
    file: "dispatcher.ts",
    from: "this.#slots < concurrency &&",
    to: "this.#slots <= concurrency &&",
  },
  { name: "finishes what failed", file: "dispatcher.ts", from: "this.#over(entry, false);", to: "this.#over(entry, true);" },
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "waybill-sabotage-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the interleavings notice a dispatcher that", () => {
  test.each(sabotages.map((sabotage, i) => [sabotage.name, { ...sabotage, i }] as const))(
    "%s",
    async (_, { i, file, from, to }) => {
      const copy = join(folder, String(i));
      await cp(join(import.meta.dirname, "../../src"), copy, { recursive: true });
      const path = join(copy, "consume", file);
      const source = await readFile(path, "utf8");
      expect(source, "the line to break is there").toContain(from);
      await writeFile(path, source.replace(from, to));
      const { Dispatcher: Broken } = (await import(pathToFileURL(join(copy, "consume/dispatcher.ts")).href)) as {
        Dispatcher: typeof Dispatcher;
      };
      const checked = otherKeysGoOn(Broken).then(() => holdsUnderAnyInterleaving(Broken, 3_000));
      await expect(checked).rejects.toThrow(/Property failed|deep-equal/);
    },
    60_000,
  );
});
