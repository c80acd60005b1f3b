import { PublishTimeoutError, WaybillError } from "../errors.ts";
import type { Item } from "./lane.ts";

const STORED = { no: "It was not stored.", unknown: "It may have been stored." };

/** For a message whose deadline has passed. Its cause says why the last attempt failed, if there was one. */
export function timeoutError(item: Item): PublishTimeoutError {
  const { name } = item.to.topic;
  const stored = storedOf(item);
  const message = `The broker did not confirm a message to topic "${name}" in time. ${STORED[stored]}`;
  return new PublishTimeoutError(stored, message, { topic: name, cause: item.error });
}

/** For a message that the end of the sender met unconfirmed. */
export function closedError(item: Item): WaybillError {
  const { name } = item.to.topic;
  const message = `The bus was closed before a message to topic "${name}" was confirmed. ${STORED[storedOf(item)]}`;
  return new WaybillError("WAYBILL_CLOSED", message, { topic: name, cause: item.error });
}

function storedOf(item: Item): "no" | "unknown" {
  return item.stage === "sent" || item.doubt ? "unknown" : "no";
}
