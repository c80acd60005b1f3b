export type { MemoryOptions } from "./options.ts";
export type { Like } from "./profiles.ts";
export { fromUrl, memory } from "./transport.ts";
