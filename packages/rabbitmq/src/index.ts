export type { RabbitmqOptions, RabbitmqTlsOptions } from "./options.ts";
export { fromUrl, rabbitmq } from "./transport.ts";
