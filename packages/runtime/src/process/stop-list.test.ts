import { describe, expect, it } from "vitest";
import { StopList } from "./stop-list.js";

describe("the parts of a process", () => {
  it("stop in reverse order, once, and a part that fails or hangs does not hold up the others", async () => {
    const stopped: string[] = [];
    const parts = new StopList();
    parts.add("first", () => void stopped.push("first"));
    parts.add("hangs", () => new Promise(() => undefined));
    parts.add("fails", () => {
      throw new Error("on purpose");
    });
    parts.add("last", () => void stopped.push("last"));
    await Promise.all([parts.stop(10), parts.stop(10)]);
    expect(stopped).toEqual(["last", "first"]);
  });
});
