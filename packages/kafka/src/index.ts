export type { Compression, Duration, KafkaOptions, KafkaSasl, KafkaTls, Size } from "./options.ts";
export { fromUrl, kafka } from "./transport.ts";
