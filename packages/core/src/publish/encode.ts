import { type Codec, json } from "../codec.ts";
import { toError, WaybillError } from "../errors.ts";
import type { Message } from "../message.ts";
import type { Topic } from "../topic.ts";
import { isPromise } from "./promise.ts";

/** Kept free below the broker's limit, so that a dead letter, which carries more headers than its original, still fits. */
const RESERVE = 64 * 1_024;

/** The codec of a topic's payloads. */
export function codecOf(topic: Topic): Codec {
  return topic.options.codec ?? json;
}

/** The payload of a message in bytes, by the topic's codec. Throws, or rejects with, `ENCODE_FAILED`. */
export function encode(topic: Topic, message: Message): Uint8Array | PromiseLike<Uint8Array> {
  const codec = codecOf(topic);
  const refuse = (cause: unknown): never => {
    const text = `The payload of "${message.type}" to topic "${topic.name}" could not be encoded as ${codec.contentType}: ${toError(cause).message}.`;
    throw new WaybillError("WAYBILL_ENCODE_FAILED", text, { topic: topic.name, cause });
  };
  const take = (bytes: Uint8Array): Uint8Array =>
    bytes instanceof Uint8Array ? bytes : refuse(new TypeError("the codec gave no Uint8Array"));
  let bytes: Uint8Array | PromiseLike<Uint8Array>;
  try {
    bytes = codec.encode(message.payload, { topic: topic.name, type: message.type });
  } catch (error) {
    return refuse(error);
  }
  return isPromise(bytes) ? bytes.then(take, refuse) : take(bytes);
}

/** Throws `MESSAGE_TOO_LARGE` for a message that the broker, whose limit is `max`, would refuse now or as a dead letter. */
export function checkSize(topic: Topic, bytes: number, max: number | undefined): void {
  if (max === undefined || bytes <= max - RESERVE) return;
  throw new WaybillError(
    "WAYBILL_MESSAGE_TOO_LARGE",
    `A message of ${bytes} bytes to topic "${topic.name}" is over the limit of ${max - RESERVE}.`,
    {
      topic: topic.name,
      hint: "Send a reference to large data instead.",
    },
  );
}
