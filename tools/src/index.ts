export type { BrokerNode, Cluster, ClusterOptions } from "./cluster.ts";
export type { FoundBroker, MissingBroker, TestBroker } from "./find.ts";
export { findBroker } from "./find.ts";
export type { KafkaOptions, SaslMechanism } from "./kafka/options.ts";
export { startKafka } from "./kafka/start.ts";
export type { RabbitmqOptions, RabbitmqUser } from "./rabbitmq/options.ts";
export { startRabbitmq } from "./rabbitmq/start.ts";
