export type { Compression, KafkaOptions, KafkaSasl, KafkaTls } from "./options.ts";
export { fromUrl, kafka } from "./transport.ts";
