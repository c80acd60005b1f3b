/** The process in which the raw clients are measured. */
import { type Operations, operations } from "./operations.ts";

process.on("message", async ({ name, task }: { readonly name: keyof Operations; readonly task: never }) => {
  try {
    process.send?.({ value: await operations[name](task) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
  }
});
