import { expect, it } from "vitest";
import { mergeValues, valueAt, withValueAt } from "./merge-values.js";

const base = { title: "old", server: { name: "a", port: 1 }, hosts: ["x"], gone: "1" as string | undefined };

it("takes theirs where nothing was typed, and keeps what was typed where they changed nothing", () => {
  const mine = { ...base, title: "typed" };
  const theirs = { ...base, server: { name: "b", port: 1 }, hosts: ["x", "y"] };
  expect(mergeValues({ base, mine, theirs })).toEqual({
    values: { title: "typed", server: { name: "b", port: 1 }, hosts: ["x", "y"], gone: "1" },
    clashes: [],
  });
});

it("keeps what was typed where both changed the same, and says so; the same change by both is none", () => {
  const mine = { ...base, title: "typed", server: { name: "m", port: 2 }, hosts: ["m"] };
  const theirs = { ...base, title: "typed", server: { name: "t", port: 1 }, hosts: ["t"] };
  expect(mergeValues({ base, mine, theirs })).toEqual({
    values: { title: "typed", server: { name: "m", port: 2 }, hosts: ["m"], gone: "1" },
    clashes: ["server.name", "hosts"],
  });
});

it("has the fields that there are now", () => {
  const { gone: _, ...rest } = base;
  expect(mergeValues({ base, mine: { ...base, gone: "typed" }, theirs: { ...rest, gone: undefined, added: "" } as never })).toEqual({
    values: { ...rest, gone: "typed", added: "" },
    clashes: ["gone"],
  });
  expect(mergeValues<Record<string, unknown>>({ base, mine: { ...base, gone: "typed" }, theirs: rest }).values).toEqual(rest);
});

it("finds and replaces what lies deep", () => {
  expect(valueAt(base, "server.port")).toBe(1);
  expect(valueAt(base, "server.port.x")).toBeUndefined();
  expect(withValueAt(base, "server.port", 7)).toEqual({ ...base, server: { name: "a", port: 7 } });
});
