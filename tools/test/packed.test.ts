import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compilers, root, run, scratchFolder, typeCheck } from "./scratch.ts";

/** The packages as they would be published, in applications that know nothing of this repository. */
const packages = globSync("packages/*/package.json", { cwd: root }).map((file) => {
  const { name, version }: { name: string; version: string } = JSON.parse(readFileSync(join(root, file), "utf8"));
  return { name, tarball: `${name.slice(1).replace("/", "-")}-${version}.tgz` };
});
const tarballs = scratchFolder();

beforeAll(async () => {
  await run(root, "npm", ["run", "build"]);
  await run(root, "npm", ["pack", ...packages.map(({ name }) => `--workspace=${name}`), `--pack-destination=${tarballs.path}`]);
});
afterAll(() => tarballs[Symbol.dispose]());

/** Installs these packages and writes these files. */
async function createApplication(folder: string, installed: readonly string[], files: Record<string, string>): Promise<void> {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  const chosen = packages.filter(({ name }) => installed.includes(name)).map(({ tarball }) => join(tarballs.path, tarball));
  await run(folder, "npm", ["install", "--prefer-offline", ...chosen]);
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
}

describe.each(packages)("$name", ({ tarball }) => {
  test("has a manifest in which publint finds nothing", async () => {
    await run(tarballs.path, join(root, "node_modules/.bin/publint"), ["run", tarball, "--strict"]);
  });

  test("has types that ES modules find", async () => {
    await run(tarballs.path, join(root, "node_modules/.bin/attw"), [tarball, "--profile=esm-only"]);
  });
});

describe("an application that installed core and memory", () => {
  const application = scratchFolder();
  afterAll(() => application[Symbol.dispose]());
  beforeAll(() =>
    createApplication(application.path, ["@waybill/core", "@waybill/memory"], {
      "by-scheme.ts": `
        import { createBus, topic, unchecked } from "@waybill/core";
        const orders = topic("orders", { schema: unchecked<{ id: string }>(), key: ({ payload }) => payload.id });
        const bus = createBus({ app: "shop", transport: "memory:" });
        const handled = Promise.withResolvers<string>();
        await bus.subscribe(orders, ({ payload }) => handled.resolve(payload.id));
        await bus.publish(orders, { id: "o-1" });
        console.log(await handled.promise);
        await bus.close();`,
      "not-installed.ts": `
        import { createBus, WaybillError } from "@waybill/core";
        try {
          await createBus({ app: "shop", transport: "kafka://127.0.0.1:1" }).ready();
        } catch (error) {
          if (error instanceof WaybillError) console.log(error.code, error.message, error.hint);
        }`,
      "required.cjs": `console.log(typeof require("@waybill/core").createBus, typeof require("@waybill/memory").createTestBus);`,
    }),
  );

  test("gets the memory transport by the scheme of its URL", async () => {
    expect(await run(application.path, "node", ["by-scheme.ts"])).toBe("o-1\n");
  });

  test("is told which package to install for a scheme whose adapter it lacks", async () => {
    const printed = await run(application.path, "node", ["not-installed.ts"]);
    expect(printed).toContain("WAYBILL_TRANSPORT_MISSING");
    expect(printed).toContain("npm install @waybill/kafka");
  });

  test("can require() them from CommonJS", async () => {
    expect(await run(application.path, "node", ["required.cjs"])).toBe("function function\n");
  });

  test.each(compilers)("passes the type check of %s, declarations included", async (compiler) => {
    await typeCheck(application.path, compiler, { skipLibCheck: false });
  });
});

describe("an application that installed every adapter", () => {
  const adapters = ["@waybill/memory", "@waybill/kafka", "@waybill/rabbitmq"];
  const application = scratchFolder();
  afterAll(() => application[Symbol.dispose]());
  beforeAll(() =>
    createApplication(application.path, ["@waybill/core", ...adapters], {
      "adapters.ts": `
        import { memory } from "@waybill/memory";
        import { kafka } from "@waybill/kafka";
        import { rabbitmq } from "@waybill/rabbitmq";
        console.log(typeof memory, typeof kafka, typeof rabbitmq);`,
    }),
  );

  test("imports them side by side", async () => {
    expect(await run(application.path, "node", ["adapters.ts"])).toBe("function function function\n");
  });

  test.each(compilers)("passes the type check of %s, declarations included", async (compiler) => {
    await typeCheck(application.path, compiler, { skipLibCheck: false });
  });
});
