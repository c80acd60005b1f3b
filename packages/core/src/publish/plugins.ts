import type { Message } from "../message.ts";
import type { Plugin } from "../plugin.ts";
import type { Receipt } from "../publisher.ts";

/** A plugin that wraps publishing. */
export type Publishing = Plugin & Required<Pick<Plugin, "publish">>;

/** Those that wrap publishing, the outermost first. */
export function publishing(plugins: readonly Plugin[]): readonly Publishing[] {
  return plugins.filter((plugin): plugin is Publishing => plugin.publish !== undefined);
}

/** A message through all plugins, and to `last` in the end. */
export async function through(
  plugins: readonly Publishing[],
  message: Message,
  last: (message: Message) => Promise<Receipt>,
): Promise<Receipt> {
  const [first, ...rest] = plugins;
  return first === undefined ? last(message) : first.publish(message, (next) => through(rest, next, last));
}
