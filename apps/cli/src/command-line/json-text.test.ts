import { expect, it } from "vitest";
import { jsonText } from "./json-text.js";

it("the JSON of a command steers no terminal, and means the same", () => {
  const value = { "\u009b31m": "\u001b[2J\u007f \u202egnp.exe\u202c \u2028 \u{e0001}", plain: "模型 ü 😀" };
  const text = jsonText(value);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  expect(text).toContain("模型 ü 😀");
  expect(JSON.parse(text)).toEqual(value);
});
