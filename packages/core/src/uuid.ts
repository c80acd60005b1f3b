import { randomFillSync } from "node:crypto";

/** Random bytes of one id: 2 to start the counter of a new millisecond, 8 for its tail. */
const DRAW = 10;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * A source of UUIDv7 (RFC 9562, 5.7) whose ids ascend as strings: within a millisecond by a counter in `rand_a` (RFC 9562, 6.2, method 1) that
 * starts at a random place of its lower half, and also where the clock goes back. `now` is in milliseconds since the epoch.
 */
export function uuidv7(): (now: number) => string {
  const pool = new Uint8Array(DRAW * 400);
  let at = pool.length;
  let ms = -1;
  let counter = 0;
  let time = "";
  const byte = (offset: number) => pool[at + offset] as number;
  const hex = (offset: number) => HEX[byte(offset)];
  return (now) => {
    at += DRAW;
    if (at >= pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    counter++;
    if (now > ms || counter > 0xfff) {
      ms = Math.max(now, ms + 1);
      counter = ((byte(0) << 8) | byte(1)) & 0x7ff;
      const digits = ms.toString(16).padStart(12, "0");
      time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
    }
    const variant = HEX[0x80 | (byte(2) & 0x3f)];
    const tail = `${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
    return `${time}${(0x1000 | counter).toString(16).slice(1)}-${variant}${hex(3)}-${tail}`;
  };
}
