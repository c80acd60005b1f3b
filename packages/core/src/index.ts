export { json, type Codec, type CodecContext } from "./codec.ts";
export { DeadLetter, type ErrorCode, type ErrorDetails, PayloadInvalidError, PublishManyError, PublishTimeoutError, RetryLater, UnsupportedError, WaybillError } from "./errors.ts";
export type { Log, Logger } from "./logger.ts";
export type { Deliveries, Delivery, DeliveryOf, Headers, Message, MessageOf, PayloadOf } from "./message.ts";
export type { Outgoing, Publisher, PublishOptions, Receipt } from "./publisher.ts";
export { type EventTypes, type Form, type Topic, type TopicOptions, topic, unchecked } from "./topic.ts";
export type { Capabilities, Transport } from "./transport.ts";
export type { Duration, Size } from "./units.ts";
