export type { MemoryOptions } from "./options.ts";
export type { Like } from "./profiles.ts";
export { createTestBus, type Fault, type FaultOptions, type TestBus } from "./test-bus.ts";
export type { TestClock } from "./test-time.ts";
export { fromUrl, memory } from "./transport.ts";
