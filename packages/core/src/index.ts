export type { Admin } from "./admin.ts";
export type { Bus, Handler, HandlerMap, Health } from "./bus.ts";
export type { BusOptions } from "./bus-options.ts";
export { type Codec, type CodecContext, json } from "./codec.ts";
export type { Batch } from "./consume/batch.ts";
export type { BatchOptions, ConsumeOptions, Need, RetryPolicy } from "./consume/options.ts";
export type { Puller } from "./consume/pull.ts";
export { createBus } from "./create-bus.ts";
export type { DeadLetterChoice, DeadLettered, DeadLetters } from "./dead-letters.ts";
export {
  DeadLetter,
  type ErrorCode,
  type ErrorDetails,
  PayloadInvalidError,
  PublishManyError,
  PublishTimeoutError,
  RetryLater,
  UnsupportedError,
  WaybillError,
} from "./errors.ts";
export type { Log, Logger } from "./logger.ts";
export type { Deliveries, Delivery, DeliveryOf, Headers, Message, MessageOf, PayloadOf } from "./message.ts";
export type { BusEvents, PartitionEvent, Plugin } from "./plugin.ts";
export type { Outgoing, Publisher, PublishOptions, Receipt } from "./publisher.ts";
export { type RunUntilSignalOptions, runUntilSignal } from "./run-until-signal.ts";
export type { BlockedDelivery, Status, Subscription, SubscriptionHealth } from "./subscription.ts";
export { type EventTypes, type Form, type Topic, type TopicOptions, topic, unchecked } from "./topic.ts";
export type { Capabilities, Transport } from "./transport.ts";
export type { Duration, Size } from "./units.ts";
