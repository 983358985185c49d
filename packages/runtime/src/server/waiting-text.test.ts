import { expect, it } from "vitest";
import { waitingText } from "./waiting-text.js";

const nobody = { isRemoved: () => false, isDisabled: () => false };

it("names what stands most in the way", () => {
  const sites = { missing: ["a", "b"], connected: ["c"], needed: 3 };
  expect(waitingText(sites, "lungs", nobody)).toBe("waits for a, b to connect");
  expect(waitingText({ ...sites, missing: [] }, "lungs", nobody)).toBe("waits for sites: 1 of 3 are connected");
  const isDisabled = (site: string): boolean => site === "b";
  expect(waitingText(sites, "lungs", { ...nobody, isDisabled })).toBe("waits until b, disabled by an admin, can connect again");
  const isRemoved = (site: string): boolean => site === "a";
  expect(waitingText(sites, "lungs", { isRemoved, isDisabled })).toBe("cannot start: a was removed from study 'lungs'");
});
