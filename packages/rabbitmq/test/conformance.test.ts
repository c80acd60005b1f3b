import { describeTransport } from "@waybill/conformance";
import { afterAll } from "vitest";
import { startRabbitmq } from "../../../tools/src/index.ts";
import { fromUrl, rabbitmq } from "../src/index.ts";
import { brokers, native } from "./driver.ts";

for (const { name, url: shared = "amqp://localhost", skip } of brokers) {
  // The suite makes some 300 quorum queues at once. 3.10 reserves file descriptors for each, and a server with a limit of 1,024 then takes no
  // connection any more, from anybody: an installed server is started apart instead of using one that others may use.
  const own = name === "rabbitmq" && skip === undefined ? await startRabbitmq().catch(() => undefined) : undefined;
  const url = own?.url ?? shared;
  afterAll(() => own?.stop());

  describeTransport(name, {
    skip,
    transport: () => fromUrl(url),
    async foreign(topic, { body, headers }) {
      await using client = await native(url);
      const channel = await client.createConfirmChannel();
      const bytes = Object.entries(headers).map(([header, value]) => [
        header,
        typeof value === "string" ? value : Buffer.from(value),
      ]);
      channel.publish(topic, "not.a.key.of.ours", Buffer.from(body), { headers: Object.fromEntries(bytes), mandatory: true });
      await channel.waitForConfirms();
    },
    async broker() {
      const cluster = await startRabbitmq({ version: name === "rabbitmq4" ? "4" : "installed" });
      const [node] = cluster.nodes;
      return {
        transport: () => fromUrl(cluster.url),
        start: async () => node?.start(),
        // 3.10 may never elect a leader again for a queue that was made seconds before a SIGKILL: it is stopped in order there.
        stop: async () => node?.kill(name === "rabbitmq4" ? "SIGKILL" : "SIGTERM"),
        remove: () => cluster.stop(),
      };
    },
    badCredentials: () => rabbitmq({ url, username: "guest", password: "wrong" }),
  });
}
