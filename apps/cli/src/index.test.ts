import { expect, it } from "vitest";
import * as cli from "./index.js";

it("exports what is pinned here and nothing else", () => {
  expect(Object.keys(cli).sort()).toEqual(["flareCommandPath"]);
});
