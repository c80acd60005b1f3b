import { memory } from "@waybill/memory";
import { describeTransport } from "../src/index.ts";

for (const like of [undefined, "kafka", "rabbitmq"] as const) {
  const broker = memory({ like });
  describeTransport(like === undefined ? "memory" : `memory like ${like}`, {
    transport: () => broker,
  });
}
