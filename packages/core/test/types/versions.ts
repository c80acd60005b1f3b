import {
  type Bus,
  createBus,
  type DeliveryOf,
  type HandlerMap,
  type MessageOf,
  type Outgoing,
  type PayloadOf,
  type PublishOptions,
  type Topic,
  topic,
  unchecked,
} from "@waybill/core";
import { z } from "zod";
import { orders } from "./contracts.ts";

// One event, two wire versions: the schema lifts the first, so handlers know the second alone.
const V2 = z.object({
  v: z.literal(2),
  userId: z.string(),
  email: z.object({ address: z.string(), verified: z.boolean() }),
});
const V1 = z
  .object({ userId: z.string(), email: z.string() })
  .transform(({ userId, email }): z.output<typeof V2> => ({ v: 2, userId, email: { address: email, verified: false } }));

export const users = topic("users", {
  events: {
    "user.registered": z.union([V2, V1]),
    "user.deleted.v1": z.object({ userId: z.string() }),
    "user.deleted.v2": z.object({ userId: z.string(), by: z.string() }),
  },
  // Outputs have the second version only: nothing to narrow.
  key: (event) => event.payload.userId,
});

const bus = createBus({ app: "crm" });
// The input is the union.
await bus.publish(users, "user.registered", { userId: "u", email: "a@b.c" });
await bus.publish(users, "user.registered", { v: 2, userId: "u", email: { address: "a@b.c", verified: true } });

// Exhaustive on demand, and one handler for several versions.
type Deleted = PayloadOf<typeof users, "user.deleted.v1" | "user.deleted.v2">;
const deleted = ({ payload }: { payload: Deleted }) => ("by" in payload ? payload.by : "unknown");
const handlers = {
  "user.registered": ({ payload }) => payload.email.verified satisfies boolean,
  "user.deleted.v1": deleted,
  "user.deleted.v2": deleted,
} satisfies Required<HandlerMap<typeof users>>;
await bus.subscribe(users, handlers);

// An asynchronous schema, and one that decodes.
const accounts = topic("accounts", {
  schema: z.object({
    iban: z.string().refine(async (s) => s.length > 10),
    at: z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() }),
  }),
});
await bus.publish(accounts, { iban: "x", at: "2026-01-01T00:00:00Z" });
await bus.subscribe(accounts, ({ payload }) => payload.at.getTime());

// No schema.
const raw = topic("legacy.events");
await bus.publish(raw, { any: ["thing", 1] });
await bus.subscribe(raw, ({ payload }) => {
  payload satisfies unknown;
});

// Types without validation.
const typed = topic("legacy.orders", {
  schema: unchecked<{ id: string; lines: { sku: string }[] }>(),
  key: (message) => message.payload.id,
});
await bus.subscribe(typed, ({ payload }) => payload.lines.map(({ sku }) => sku.length));

// Names that are known at run time.
const tenant = (id: string) => topic(`tenant.${id}.orders`, { schema: unchecked<{ n: number }>() });
await bus.publish(tenant("a"), { n: 1 });

// Lists of topics that differ.
for (const one of [orders, users]) await bus.admin.groups(one);
export const all: readonly Topic[] = [orders, users, accounts, raw];

// Generic helpers that users write.
export function logged<T extends Topic>(_topic: T, handler: (delivery: DeliveryOf<T>) => unknown) {
  return (delivery: DeliveryOf<T>) => handler(delivery);
}
await bus.subscribe(
  users,
  logged(users, ({ type }) => type satisfies "user.registered" | "user.deleted.v1" | "user.deleted.v2"),
);
export const publishDeleted = (on: Bus, payload: { userId: string; by: string }, options?: PublishOptions) =>
  on.publish(users, "user.deleted.v2", payload, options);
export type UserMessage = MessageOf<typeof users>;
const userIds = ["a", "b"];
await bus.publishMany(
  users,
  userIds.map((userId) => ({ type: "user.deleted.v2", payload: { userId, by: "cron" } })),
);
export type One = Outgoing<{ a: { input: 1; output: 1 } }, "events">;
