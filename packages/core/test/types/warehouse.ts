import { type BatchOptions, createBus, DeadLetter } from "@waybill/core";
import { readings } from "./contracts.ts";

interface Row {
  sensor: string;
  value: number;
  at: Date;
}
interface Rejected {
  index: number;
  permanent: boolean;
  why: string;
}
declare const warehouse: {
  insert(rows: readonly Row[], options: { signal: AbortSignal }): Promise<{ rejected: Rejected[] }>;
};

const bus = createBus({ app: "warehouse" });
const limits: BatchOptions = { maxSize: 500, maxWait: "2s", maxBytes: "1MiB", retry: { later: ["1m", "10m"] } };
await bus.subscribeBatch(readings, limits, async (batch) => {
  const rows = batch.items.map(({ payload, timestamp }) => ({ ...payload, at: timestamp }));
  const { rejected } = await warehouse.insert(rows, { signal: batch.signal });
  for (const { index, permanent, why } of rejected) {
    const item = batch.items[index];
    if (item) batch.fail(item, permanent ? new DeadLetter(why) : new Error(why));
  }
});
await bus.subscribeBatch(readings, { group: "peaks" }, async ({ items, fail }) => {
  for (const item of items) if (Number.isNaN(item.payload.value)) fail(item, new DeadLetter("not a number"));
});

// Loading in the other direction.
await bus.publishMany(readings, [
  { payload: { sensor: "s-1", value: 1 } },
  { payload: { sensor: "s-2", value: 2 }, headers: { site: "b" } },
]);
