export type { Behaviour, Check, Need } from "./behaviour.ts";
export { behaviours } from "./behaviours/index.ts";
export { describeTransport } from "./describe.ts";
export type { ForeignMessage, Harness, OwnBroker } from "./harness.ts";
export type { Lab } from "./lab.ts";
export { runCheck } from "./run.ts";
