import pc from "picocolors";
import { expect, it } from "vitest";
import { logLine } from "./log-line.js";

const plain = pc.createColors(false);

it("says each field that has a value, and nothing of those that have none", () => {
  const event = {
    level: "info",
    message: "site connected",
    fields: { site: "hospital-1", name: "a b", relay: undefined, bytes: 0, at: null },
  };
  expect(logLine(event, new Date(0), plain)).toBe('00:00:00.000 info  site connected site=hospital-1 name="a b" bytes=0 at=null');
});
