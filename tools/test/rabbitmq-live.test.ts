import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCertificates, startRabbitmq } from "../src/index.ts";
import { askRabbitmq } from "../src/rabbitmq/client.ts";
import { accepts } from "../src/system/ports.ts";
import { startOrSkip } from "./live.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "waybill-tools-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a RabbitMQ that is killed and started again still has what it confirmed, and stops", async ({ skip }) => {
  await using cluster = await startOrSkip(skip, () => startRabbitmq());
  const [node] = cluster.nodes;
  if (!node) throw new Error("no node");
  const before = await open(cluster.url);
  const publisher = await before.createConfirmChannel();
  await publisher.assertQueue("kept", { durable: true });
  publisher.sendToQueue("kept", Buffer.from("one"), { persistent: true });
  await publisher.waitForConfirms();

  await node.kill();
  expect(await accepts(node.port)).toBe(false);
  await node.start();
  const after = await open(cluster.url);
  const channel = await after.createChannel();
  expect(await channel.get("kept", { noAck: true })).toMatchObject({ content: Buffer.from("one") });
  await after.close();

  await cluster.stop();
  expect(await accepts(node.port)).toBe(false);
});

test("a RabbitMQ 4 with TLS and users lets in who has a certificate, and holds each to their rights", async ({ skip }) => {
  const certificates = await makeCertificates(dir);
  const users = { reader: { password: "secret", configure: "" } };
  const tls = { certificates, clientAuth: true };
  await using cluster = await startOrSkip(skip, () => startRabbitmq({ version: "4", tls, users }));
  expect(cluster.version).toMatch(/^4\./);
  const ca = [readFileSync(certificates.ca.certFile)];
  const own = { cert: readFileSync(certificates.client.certFile), key: readFileSync(certificates.client.keyFile) };

  await expect(connect(cluster.url, { ca })).rejects.toThrow();
  await expect(connect(cluster.url, { ...own, ca: [readFileSync(certificates.otherCa.certFile)] })).rejects.toThrow(
    "self-signed",
  );
  const reader = await open(cluster.url.replace("guest:guest", "reader:secret"), { ...own, ca });
  const channel = await reader.createChannel();
  channel.on("error", () => undefined);
  await expect(channel.assertQueue("mine")).rejects.toThrow("ACCESS_REFUSED");
  await reader.close();
});

test("nobody answers where no RabbitMQ is", async () => {
  expect(await askRabbitmq("amqp://guest:guest@127.0.0.1:1")).toBeUndefined();
});

async function open(url: string, socketOptions = {}): ReturnType<typeof connect> {
  const connection = await connect(url, socketOptions);
  connection.on("error", () => undefined);
  return connection;
}
