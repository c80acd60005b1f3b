export type { BrokerNode, Cluster, ClusterOptions } from "./cluster.ts";
export { startKafka } from "./kafka/start.ts";
export { startRabbitmq } from "./rabbitmq/start.ts";
