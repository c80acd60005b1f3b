import { handle, Journal } from "../journal.ts";
import { perSecond } from "../measure.ts";
import { workOf } from "../work.ts";

/** A loop that awaits the work of each message. Messages per second. */
export async function loop({ count, keys }: { readonly count: number; readonly keys: number }): Promise<number> {
  const journal = new Journal(count);
  for (let index = 0; index < count; index++) await handle(journal, workOf(index, keys));
  return perSecond(count, await journal.elapsed);
}
