import { label } from "./items.ts";
import type { Item } from "./lab.ts";

/** What the handlers of all members of a group did, as it would look to someone who watches the group from outside. */
export class Journal {
  /** Every handling that was started. */
  readonly items: Item[] = [];
  readonly members = new Map<string, Item[]>();
  /** Broken promises of order, in words. */
  readonly violations: string[] = [];
  readonly #running = new Map<string, string>();
  readonly #last = new Map<string, number>();

  /** Handles `item` as `member`, noting what else runs for its key and what came before it. */
  async handle(member: string, item: Item, work?: () => Promise<unknown>): Promise<void> {
    const { key, n } = item;
    const other = this.#running.get(key);
    if (other !== undefined) this.violations.push(`${label(item)} started at ${member} while ${other} still ran`);
    // A message that comes again may come at any time; one that comes for the first time follows its predecessor.
    const last = this.#last.get(key) ?? -1;
    if (n > last + 1) this.violations.push(`${label(item)} started at ${member} before ${label({ key, n: last + 1 })}`);
    if (n > last) this.#last.set(key, n);
    this.items.push(item);
    this.of(member).push(item);
    this.#running.set(key, `${label(item)} at ${member}`);
    await work?.();
    this.#running.delete(key);
  }

  /** What a member has started. */
  of(member: string): Item[] {
    const items = this.members.get(member) ?? [];
    this.members.set(member, items);
    return items;
  }
}
