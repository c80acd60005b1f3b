/** What the services of Departures agree on: in a real system a package of its own that all of them install. */
import { topic } from "@waybill/core";
import { z } from "zod";

const airport = z.string().regex(/^[A-Z]{3}$/, "three capital letters are expected, such as JFK");
const localTime = z.string().regex(/^\d{4}\/\d\d\/\d\d \d\d:\d\d$/, "a local time is expected, such as 2001/01/31 18:05");

/** One departure. */
export const Flight = z.object({
  /** Its place in the file. */
  id: z.int().nonnegative(),
  /** When it was to leave, in the origin's local time; such strings sort by time. */
  date: localTime,
  /** Minutes; negative when it left early. */
  delay: z.int(),
  /** Miles. */
  distance: z.int().nonnegative(),
  origin: airport,
  destination: airport,
});
export type Flight = z.infer<typeof Flight>;

/** All departures. The key keeps those of one airport in order. */
export const flights = topic("flights", {
  schema: Flight,
  key: ({ payload }) => payload.origin,
  groups: ["board", "alerts"], // provisioned before the first publish, so that whoever starts late misses nothing
});

/** What travellers want to hear of. */
export const delays = topic("flights.delays", {
  events: { "flight.delayed": Flight.omit({ distance: true }) },
  key: ({ payload }) => payload.origin,
  groups: ["notify"],
});
