import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findBroker } from "../src/find.ts";
import { isFree } from "../src/system/ports.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "waybill-tools-"));
  vi.stubEnv("WAYBILL_BROKERS_DIR", home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

test("a broker that the environment names is taken as it is", async () => {
  vi.stubEnv("WAYBILL_TEST_KAFKA", "kafka://one:1,two:2");
  expect(await findBroker("kafka")).toMatchObject({ url: "kafka://one:1,two:2", source: "WAYBILL_TEST_KAFKA" });
});

test("where no Kafka can be had the reason says what is missing and what would do", async ({ skip }) => {
  if (!(await isFree(9092))) skip("something listens on Kafka's usual port");
  vi.stubEnv("WAYBILL_TEST_KAFKA", "");
  vi.stubEnv("PATH", home);
  const answer = await findBroker("kafka");
  expect(answer).toEqual({ reason: expect.stringMatching(/Java 17.*Maven.*docker.*WAYBILL_TEST_KAFKA/s) });
});
