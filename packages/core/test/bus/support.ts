export * from "../../src/index.ts";
export { silentLogger as silent } from "../../src/logger.ts";
