import type { Behaviour } from "../behaviour.ts";
import { administration } from "./administration.ts";
import { attributes } from "./attributes.ts";
import { badInput } from "./bad-input.ts";
import { batches } from "./batches.ts";
import { blocking } from "./blocking.ts";
import { closing } from "./closing.ts";
import { concurrency } from "./concurrency.ts";
import { connecting } from "./connecting.ts";
import { deadLetters } from "./dead-letters.ts";
import { delays } from "./delays.ts";
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
import { pulling } from "./pulling.ts";
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
  blocking,
  delays,
  deadLetters,
  batches,
  pulling,
  vanishing,
  closing,
  connecting,
  administration,
  badInput,
];
