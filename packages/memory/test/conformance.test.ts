import { describeTransport } from "@waybill/conformance";
import type { Like } from "../src/profiles.ts";
import { connect, envelope, transport } from "./driver.ts";

const likes: readonly (Like | undefined)[] = [undefined, "kafka", "rabbitmq"];

for (const like of likes) {
  const shared = transport({ like });
  describeTransport(like === undefined ? "memory" : `memory like ${like}`, {
    transport: () => shared,
    async foreign(name, { body, headers }) {
      await using connection = connect(shared);
      const topic = { name, keyed: true, partitions: 1, retention: undefined, groups: [], unrouted: "reject" } as const;
      const message = envelope("", { attributes: {}, contentType: undefined, body, headers: Object.entries(headers) });
      const [outcome] = await connection
        .publisher("publish")
        .publish({ kind: "topic", topic, partition: 0 }, [message], { deadline: Date.now() + 5_000 });
      if (outcome?.stored !== true) throw outcome?.error;
    },
    async broker() {
      const own = transport({ like });
      return {
        transport: () => own,
        start: async () => own.broker.start(),
        stop: async () => own.broker.stop(),
        remove: async () => own.broker.stop(),
      };
    },
    patience: 5_000,
  });
}
