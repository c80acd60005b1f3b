import { systemClock } from "@waybill/core/transport";
import { describe, expect, test } from "vitest";
import { Committer } from "../src/committer.ts";
import type { EngineMember } from "../src/engine.ts";

const at = (partition: number) => ({ topic: "t", partition });

/** A member whose commits end when the test says so. */
function member() {
  const commits: { offsets: unknown; end: (result: "ok" | "fenced" | "retry") => void }[] = [];
  const commit: EngineMember["commit"] = (_, offsets) =>
    new Promise((end) => commits.push({ offsets: offsets.map(({ partition, offset }) => [partition, offset]), end }));
  return { commits, member: { commit } as EngineMember };
}

describe("commits", () => {
  test("of one turn, and of what comes while one is under way, go together", async () => {
    const { commits, member: fake } = member();
    const committer = new Committer(fake, 1, systemClock, () => {});
    const first = [committer.commit(at(0), 3), committer.commit(at(1), 5)];
    await expect.poll(() => commits.length).toBe(1);
    const second = [committer.commit(at(0), 7), committer.commit(at(1), 6), committer.commit(at(0), 9)];
    expect(commits).toMatchObject([
      {
        offsets: [
          [0, 3],
          [1, 5],
        ],
      },
    ]);
    commits[0]?.end("ok");
    expect(await Promise.all(first)).toEqual(["ok", "ok"]);
    await expect.poll(() => commits.length).toBe(2);
    expect(commits[1]).toMatchObject({
      offsets: [
        [0, 9],
        [1, 6],
      ],
    });
    commits[1]?.end("ok");
    expect(await Promise.all(second)).toEqual(["ok", "ok", "ok"]);
  });

  test("are tried again until they are taken", async () => {
    const { commits, member: fake } = member();
    const committed = new Committer(fake, 1, systemClock, () => {}).commit(at(0), 3);
    for (const result of ["retry", "retry", "ok"] as const) {
      const before = commits.length;
      await expect.poll(() => commits.length).toBe(before === 0 ? 1 : before);
      commits.at(-1)?.end(result);
      if (result === "retry") await expect.poll(() => commits.length).toBe(before === 0 ? 2 : before + 1);
    }
    expect(await committed).toBe("ok");
    expect(commits).toHaveLength(3);
  });

  test("of a generation that is over are fenced, also those that wait", async () => {
    const { commits, member: fake } = member();
    const committer = new Committer(fake, 1, systemClock, () => {});
    const under = committer.commit(at(0), 3);
    await expect.poll(() => commits.length).toBe(1);
    const waiting = committer.commit(at(0), 4);
    committer.end();
    expect(await waiting).toBe("fenced");
    commits[0]?.end("retry");
    expect(await under).toBe("fenced");
    expect(await committer.commit(at(0), 5)).toBe("fenced");
  });

  test("that the broker fences are told once they are", async () => {
    const { commits, member: fake } = member();
    let fenced = 0;
    const committer = new Committer(fake, 1, systemClock, () => fenced++);
    const committed = committer.commit(at(0), 3);
    await expect.poll(() => commits.length).toBe(1);
    commits[0]?.end("fenced");
    expect(await committed).toBe("fenced");
    expect(fenced).toBe(1);
  });
});
