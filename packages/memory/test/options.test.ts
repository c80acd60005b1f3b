import { expect, test } from "vitest";
import { fromUrl, memory } from "../src/index.ts";
import { optionsFromUrl } from "../src/options.ts";

test("every problem of the options is named in one error", () => {
  const options = { name: "a b", like: "nats", maxBytes: "much", sessionTimeout: "soon", replicas: 3 };
  // @ts-expect-error: what JavaScript may pass
  expect(() => memory(options)).toThrow(
    expect.objectContaining({
      code: "WAYBILL_CONFIG_INVALID",
      message: expect.stringMatching(/replicas.*name.*like.*maxBytes.*sessionTimeout/),
    }),
  );
});

test("a URL has all options", () => {
  expect(optionsFromUrl("memory:")).toEqual({});
  expect(optionsFromUrl("memory:one?like=kafka&maxBytes=64MiB&sessionTimeout=100")).toEqual({
    name: "one",
    like: "kafka",
    maxBytes: "64MiB",
    sessionTimeout: 100,
  });
});

test.each(["memory:?replicas=3", "memory:?like=nats", "memory:a/b", "memory:a?name=b"])("%s is refused", (url) => {
  expect(() => fromUrl(url)).toThrow(expect.objectContaining({ code: "WAYBILL_CONFIG_INVALID" }));
});

test("the same URL is the same broker, and another name or option is another", () => {
  const one = fromUrl("memory:shared-one");
  expect(fromUrl("memory:shared-one")).toBe(one);
  expect(fromUrl("memory://shared-one?maxBytes=256MiB")).toBe(one);
  expect(fromUrl("memory:shared-two")).not.toBe(one);
  expect(fromUrl("memory:shared-one?like=kafka")).not.toBe(one);
  expect(memory({ name: "shared-one" })).not.toBe(one);
});
