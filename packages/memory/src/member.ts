import type { ConsumerSink, ConsumeSpec, Source } from "@waybill/core/transport";
import type { Cursor } from "./cursor.ts";
import type { Group, Slot } from "./group.ts";
import { Holding } from "./holding.ts";

/** Why sources are lost, as a sink hears it. */
export type Why = Parameters<ConsumerSink["lost"]>[1];

/** One consumer in a group, from joining to leaving. */
export class Member {
  readonly group: Group;
  readonly spec: ConsumeSpec;
  readonly sink: ConsumerSink;
  /** Vanished without a goodbye: it hears nothing any more, and the group does not know yet. */
  severed = false;
  #holdings: Holding[] = [];
  #messages = 0;
  #bytes = 0;
  #awake = false;
  /** Whose turn it is first, so that a narrow window does not starve the last. */
  #turn = 0;

  constructor(group: Group, spec: ConsumeSpec, sink: ConsumerSink) {
    this.group = group;
    this.spec = spec;
    this.sink = sink;
  }

  /** Gains all cursors of a slot. */
  gain(slot: Slot): void {
    for (const cursor of slot.cursors) this.hold(cursor, slot.partition);
  }

  /** Gains one cursor. */
  hold(cursor: Cursor, partition: number): void {
    if (this.severed) return;
    const { broker } = this.group;
    const holding = new Holding(this, cursor, { id: this.group.idOf(cursor, partition), epoch: broker.nextEpoch(), partition });
    this.#holdings.push(holding);
    this.sink.gained(holding, {
      committed: broker.profile.positions ? cursor.position : undefined,
      gap: cursor.takeGap(),
    });
    this.wake();
  }

  /** Hand-over: starts nothing more of these slots and resolves when the sink has settled what it can. */
  async losing(slots: readonly Slot[], deadline: number): Promise<void> {
    const holdings = this.#of(slots);
    for (const holding of holdings) holding.stop();
    await this.sink.losing(holdings, deadline);
  }

  /** Loses the slots. */
  lose(slots: readonly Slot[], why: Why): void {
    this.#end(this.#of(slots), why);
  }

  /** Ends a hold and begins a new one on the same cursor. */
  renew(holding: Holding): void {
    this.group.broker.turns.next(() => {
      if (holding.ended || this.severed) return;
      this.#end([holding], "fenced");
      this.hold(holding.cursor, holding.partition);
    });
  }

  took(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  released(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
  }

  /** Hands over what there is, in the next turn. */
  wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    this.group.broker.turns.next(() => {
      this.#awake = false;
      this.#deliver();
    });
  }

  #of(slots: readonly Slot[]): Holding[] {
    return this.#holdings.filter(({ cursor }) => slots.some((slot) => slot.cursors.includes(cursor)));
  }

  #end(holdings: readonly Holding[], why: Why): void {
    if (holdings.length === 0) return;
    this.#holdings = this.#holdings.filter((holding) => !holdings.includes(holding));
    for (const holding of holdings) holding.end();
    const sources: readonly Source[] = holdings;
    if (!this.severed) this.sink.lost(sources, why);
  }

  #deliver(): void {
    if (this.severed) return;
    const { window } = this.spec;
    const fits = (bytes: number) =>
      this.#messages === 0 || (this.#messages < window.messages && this.#bytes + bytes <= window.bytes);
    // Each source has its part of the window, so that one with a stuck head does not stop the others.
    const share = Math.ceil(window.messages / this.#holdings.length);
    const first = this.#turn++ % Math.max(1, this.#holdings.length);
    let more = false;
    for (const holding of [...this.#holdings.slice(first), ...this.#holdings.slice(0, first)]) {
      const { waiting } = holding;
      // Competing members take their parts by turns.
      const part = Math.ceil(waiting / Math.max(1, holding.cursor.holdings.size));
      const taken = holding.take(Math.min(part, share - holding.unsettled), fits);
      if (taken.length === 0) continue;
      more ||= taken.length < waiting;
      this.sink.batch(holding, taken);
    }
    if (more) this.wake();
  }
}
