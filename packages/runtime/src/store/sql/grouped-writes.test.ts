import { describe, expect, it } from "vitest";
import { GroupedWrites } from "./grouped-writes.js";

describe("grouped writes", () => {
  it("writes what comes together at once, and answers each caller with what became of its own", async () => {
    const groups: (readonly number[])[] = [];
    const writes = new GroupedWrites<number, string>({
      write: async (items) => {
        groups.push(items);
        return items.map((item) => `${item} is written`);
      },
    });
    expect(await Promise.all([1, 2, 3].map((item) => writes.add(item)))).toEqual(["1 is written", "2 is written", "3 is written"]);
    expect(await writes.add(4)).toBe("4 is written");
    expect(groups).toEqual([[1, 2, 3], [4]]);
  });

  it("writes the others of a group in which one cannot be written", async () => {
    const written: number[] = [];
    const writes = new GroupedWrites<number, number>({
      write: async (items) => {
        if (items.includes(2)) throw new Error("not this one");
        written.push(...items);
        return items;
      },
    });
    expect(await Promise.allSettled([1, 2, 3].map((item) => writes.add(item)))).toMatchObject([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: { message: "not this one" } },
      { status: "fulfilled", value: 3 },
    ]);
    expect(written).toEqual([1, 3]);
  });
});
