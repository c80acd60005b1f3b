/**
 * Which slot owns each partition when `members` share them: a pure function of both numbers, so that members which see the same number of members
 * agree without talking to each other.
 *
 * All partitions start at slot 0; slot `i` takes `⌊partitions / (i + 1)⌋` of them, one at a time, each from the fullest slot before it. Shares
 * differ by one at most, and a member more or less moves only what has to move.
 */
export function ownersOf(partitions: number, members: number): readonly number[] {
  const slots: number[][] = [Array.from({ length: partitions }, (_, partition) => partition)];
  for (let slot = 1; slot < members; slot++) {
    const own: number[] = [];
    for (let taken = Math.floor(partitions / (slot + 1)); taken > 0; taken--) {
      const fullest = slots.reduce((most, other) => (other.length > most.length ? other : most));
      own.push(fullest.pop() as number);
    }
    slots.push(own);
  }
  const owners = new Array<number>(partitions).fill(0);
  for (const [slot, own] of slots.entries()) for (const partition of own) owners[partition] = slot;
  return owners;
}

/** What a member is to a partition: the one that should consume it, the one that stands behind it, or nothing. */
export type Part = "owner" | "backup" | "none";

/** The part of the member in `slot` for each partition. The backup of an owner is the next slot, so that a killed owner is replaced at once. */
export function partsOf(slot: number, partitions: number, members: number): readonly Part[] {
  return ownersOf(partitions, members).map((owner) => {
    if (owner === slot) return "owner";
    return (owner + 1) % members === slot ? "backup" : "none";
  });
}
