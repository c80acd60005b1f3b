import type { Logger } from "@waybill/core/transport";
import kafkajs, { type Kafka, type KafkaConfig, type logCreator, type SASLOptions } from "kafkajs";
import type { KafkaSasl, Settings } from "../options.ts";
import { registerCodecs } from "./codecs.ts";
import { cureIdleTimer } from "./idle-timer.ts";
import { cureRecords } from "./records.ts";
import type { Sockets } from "./sockets.ts";

/** What every client of one engine is made from. */
export interface ClientOptions {
  readonly settings: Settings;
  readonly clientId: string;
  readonly logger: Logger;
}

/** A kafkajs client with sockets of its own. Each producer, member and admin has one, so that one that is cut takes no other with it. */
export function createClient({ settings, clientId, logger }: ClientOptions, sockets: Sockets): Kafka {
  cureIdleTimer();
  cureRecords();
  registerCodecs();
  const { tls, sasl, brokers } = settings;
  const config: KafkaConfig = {
    clientId,
    brokers: [...brokers],
    connectionTimeout: 10_000,
    authenticationTimeout: 10_000,
    requestTimeout: 15_000,
    socketFactory: sockets.factory,
    // Retrying is our business: here only what a moved leader or coordinator needs.
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: logTo(logger),
  };
  if (tls !== false) config.ssl = tls === true ? true : { ...tls };
  if (sasl !== undefined) config.sasl = toSasl(sasl);
  return new kafkajs.Kafka(config);
}

/** What kafkajs logs are steps of its own recovery: of interest when one looks for a fault. Its supervisor says what matters. */
function logTo(logger: Logger): logCreator {
  return () =>
    ({ namespace, log: { message, timestamp: _, logger: __, ...fields } }) =>
      logger.debug(fields, `${namespace}: ${message}`);
}

function toSasl(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism !== "oauthbearer") return { ...sasl };
  const { token } = sasl;
  return { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: await token() }) };
}
