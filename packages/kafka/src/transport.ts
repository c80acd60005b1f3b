import { randomUUID } from "node:crypto";
import type { Capabilities, Transport } from "@waybill/core/transport";
import { KafkaConnection } from "./connection.ts";
import type { EngineFactory } from "./engine.ts";
import { kafkajsEngine } from "./kafkajs/engine.ts";
import { type KafkaOptions, readOptions } from "./options.ts";

/**
 * Kafka as a transport: does no I/O before something is published, consumed or asked.
 * Throws `CONFIG_INVALID` that lists every problem of the options, the URL and the environment.
 */
export function kafka(options: KafkaOptions = {}): Transport {
  return createTransport(options, kafkajsEngine);
}

/** The transport of a `kafka:` or `kafkas:` URL. */
export function fromUrl(url: string): Transport {
  return kafka({ url });
}

function createTransport(options: KafkaOptions, factory: EngineFactory): Transport {
  const settings = readOptions(options);
  const capabilities: Capabilities = {
    log: true,
    singleSettlement: false,
    delay: true,
    partitionsGrow: true,
    unroutable: false,
    maxMessageBytes: settings.maxMessageBytes,
    maxHold: undefined,
    transactions: false,
    // A commit costs the broker a write; what a crash repeats is bounded by it.
    settleEvery: { messages: 5_000, ms: 200 },
  };
  // `settings` stays in closures: it holds secrets, and whatever prints the transport must not show them.
  return {
    name: "kafka",
    capabilities,
    connect: (context) =>
      new KafkaConnection({
        context,
        maxMessageBytes: settings.maxMessageBytes,
        compressed: settings.compression !== "none",
        engine: factory({ settings, clientId: context.app || randomUUID(), logger: context.logger, clock: context.clock }),
      }),
  };
}
