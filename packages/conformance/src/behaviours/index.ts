import type { Behaviour } from "../behaviour.ts";
import { administration } from "./administration.ts";
import { attributes } from "./attributes.ts";
import { badInput } from "./bad-input.ts";
import { closing } from "./closing.ts";
import { concurrency } from "./concurrency.ts";
import { connecting } from "./connecting.ts";
import { everyMessageOnce } from "./every-message-once.ts";
import { failingHandlers } from "./failing-handlers.ts";
import { foreignMessages } from "./foreign-messages.ts";
import { groups } from "./groups.ts";
import { headers } from "./headers.ts";
import { keys } from "./keys.ts";
import { names } from "./names.ts";
import { order } from "./order.ts";
import { payload } from "./payload.ts";
import { publishing } from "./publishing.ts";
import { refusals } from "./refusals.ts";
import { sharing } from "./sharing.ts";
import { subscribing } from "./subscribing.ts";
import { vanishing } from "./vanishing.ts";

/** All that a right transport does. */
export const behaviours: readonly Behaviour[] = [
  payload,
  keys,
  headers,
  attributes,
  foreignMessages,
  everyMessageOnce,
  publishing,
  refusals,
  groups,
  sharing,
  order,
  concurrency,
  subscribing,
  names,
  failingHandlers,
  vanishing,
  closing,
  connecting,
  administration,
  badInput,
];
