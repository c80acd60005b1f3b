import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ClusterOptions } from "../src/cluster.ts";
import { type ClusterRecord, destroy, listRecords, saveRecord, sweep } from "../src/record.ts";
import { isRunning } from "../src/system/identity.ts";
import { accepts } from "../src/system/ports.ts";
import { until } from "../src/system/wait.ts";
import { startSmallBroker } from "./small-broker.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "waybill-tools-"));
  vi.stubEnv("WAYBILL_BROKERS_DIR", home);
});
afterEach(async () => {
  await Promise.all(listRecords().map(destroy));
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

test("a node that was killed starts again on its port, and is recorded each time", async () => {
  await using cluster = await startSmallBroker();
  const [node] = cluster.nodes;
  if (!node) throw new Error("no node");
  const first = node.pid;
  expect(onlyRecord().processes["node-1"]?.pid).toBe(first);

  await node.kill();
  expect(await accepts(node.port)).toBe(false);
  await node.start();
  expect(await accepts(node.port)).toBe(true);
  expect(node.pid).not.toBe(first);
  expect(onlyRecord().processes["node-1"]?.pid).toBe(node.pid);
});

test("stop ends every process, removes the data and the record, and can be called again", async () => {
  const cluster = await startSmallBroker();
  const { dir } = onlyRecord();
  await Promise.all([cluster.stop(), cluster.stop()]);
  expect(await accepts(cluster.nodes[0]?.port ?? 0)).toBe(false);
  expect(listRecords()).toEqual([]);
  expect(existsSync(dir)).toBe(false);
});

test("a frozen node keeps connections waiting until it is resumed", async () => {
  await using cluster = await startSmallBroker();
  const [node] = cluster.nodes;
  let frozen = true;
  node?.freeze();
  const socket = connect(node?.port ?? 0, "127.0.0.1");
  const answered = once(socket.resume(), "end").then(() => frozen);
  await once(socket, "connect");
  frozen = false;
  node?.resume();
  expect(await answered).toBe(false);
});

test("a frozen node is ended by stop too", async () => {
  const cluster = await startSmallBroker();
  const { processes } = onlyRecord();
  cluster.nodes[0]?.freeze();
  await cluster.stop();
  expect(Object.values(processes).some(isRunning)).toBe(false);
});

test("a node of a stopped cluster does not start again", async () => {
  const cluster = await startSmallBroker();
  await cluster.stop();
  await expect(cluster.nodes[0]?.start()).rejects.toThrow("has been stopped");
});

test("a directory of the caller outlives the cluster", async () => {
  const dir = join(home, "mine");
  const cluster = await startSmallBroker({ dir });
  await cluster.stop();
  expect(existsSync(join(dir, "node-1.log"))).toBe(true);
});

test("a start that fails says the end of the log and leaves nothing behind", async () => {
  const start = startSmallBroker({}, () => 'console.error("no such setting: colour"); process.exit(1)');
  await expect(start).rejects.toThrow(/node-1 ended while starting; the end of its log:\nno such setting: colour/);
  expect(listRecords()).toEqual([]);
});

test("brokers end when the process that started them is killed", async () => {
  const owner = await startInProcess({});
  const { processes } = onlyRecord();
  expect(Object.values(processes).every(isRunning)).toBe(true);
  owner.kill("SIGKILL");
  await until({ what: "brokers of a dead process to end", timeout: 10_000 }, () => listRecords().length === 0);
  expect(Object.values(processes).some(isRunning)).toBe(false);
});

test("brokers of a dead process that nothing ended are ended by the next start", async () => {
  const owner = await startInProcess({ outlive: true });
  const record = onlyRecord();
  const orphan = { ...record, owner: { pid: owner.pid ?? 0, started: "before" } };
  saveRecord(orphan);
  await sweep();
  expect(listRecords()).toEqual([]);
  expect(Object.values(record.processes).some(isRunning)).toBe(false);
  owner.kill("SIGKILL");
});

test("brokers that may outlive their process run until they are stopped", async () => {
  const owner = await startInProcess({ outlive: true });
  const record = onlyRecord();
  const exit = once(owner, "exit");
  owner.kill("SIGKILL");
  await exit;
  await sweep();
  expect(Object.values(record.processes).every(isRunning)).toBe(true);
  await destroy(record);
  expect(Object.values(record.processes).some(isRunning)).toBe(false);
});

function onlyRecord(): ClusterRecord {
  const [record, ...others] = listRecords();
  if (!record || others.length > 0) throw new Error(`${others.length + 1} records`);
  return record;
}

/** Another process that starts a cluster and stays. */
async function startInProcess(options: ClusterOptions): Promise<ReturnType<typeof spawn>> {
  const program = fileURLToPath(new URL("./small-broker.ts", import.meta.url));
  const owner = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  if (owner.stdout) await once(owner.stdout, "data");
  return owner;
}
