import { expect, it } from "vitest";
import { plainText } from "./plain-text.js";

it("what steers a terminal is written out, and everything else stays", () => {
  expect(plainText("épöch 1\tloss ½ 模型")).toBe("épöch 1  loss ½ 模型");
  expect(plainText("\u001b[2J\rgone\u202e")).toBe("\\u{1b}[2J\\u{d}gone\\u{202e}");
});
