/**
 * `@waybill/core/transport`: what the author of a transport needs. `docs/writing-a-transport.md` walks through it, `@waybill/conformance` says
 * when it is right.
 */
export { type Backoff, backoffDelay, RECONNECT } from "./backoff.ts";
export { bindAttributes, unbindAttributes, weigh } from "./binding.ts";
export type { BusOptions } from "./bus-options.ts";
export { type Clock, sleep, systemClock } from "./clock.ts";
export { createBusWith } from "./create-bus.ts";
export { type DeadLettered, describeDeadLetter } from "./dead-letters.ts";
export { type ErrorCode, toError, UnsupportedError, WaybillError } from "./errors.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { checkGroupName, checkTopicName } from "./names.ts";
export { murmur2, partitionOf } from "./partition.ts";
export type {
  Capabilities,
  Connection,
  ConsumerSink,
  ConsumeSpec,
  DeadLetterStore,
  Destination,
  Drift,
  Envelope,
  Header,
  Incoming,
  Outcome,
  Provision,
  Provisioned,
  Role,
  Settlement,
  Source,
  StoredDeadLetter,
  TopicSpec,
  Transport,
  TransportAdmin,
  TransportConsumer,
  TransportContext,
  TransportHealth,
  TransportPublisher,
  WaitOptions,
} from "./transport.ts";
export { type Duration, type Size, toBytes, toMilliseconds } from "./units.ts";
