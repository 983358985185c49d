import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { afterAll, describe, expect, it } from "vitest";
import { holdsTensors, noTensors } from "./holds-tensors.js";

const folder = mkdtempSync(join(tmpdir(), "flare-tensors-"));
afterAll(() => rmSync(folder, { recursive: true }));

function isHeld(bytes: Uint8Array | string): boolean {
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  return holdsTensors(path);
}

describe("a file", () => {
  it.each([
    ["of our own", noTensors],
    ["as the aggregator writes it", encodeSafetensors([])],
    ["with metadata", encodeSafetensors([], { format: "pt" })],
  ])("without tensors has none, %s", (_, bytes) => {
    expect(decodeSafetensors(bytes).size).toBe(0);
    expect(isHeld(bytes)).toBe(false);
  });

  it.each([
    ["a tensor", encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(1) }]])],
    ["a tensor of no element", encodeSafetensors([["w", { dtype: "F32", shape: [0], data: Float32Array.of() }]])],
    ["something behind an empty header", `${new TextDecoder().decode(noTensors)}more`],
    ["no header", "no"],
    ["a header that is a list", "\x02\0\0\0\0\0\0\0[]"],
    ["a header that is not JSON", "\x02\0\0\0\0\0\0\0{{"],
    ["more metadata than any update has", encodeSafetensors([], { note: "x".repeat(100_000) })],
  ])("with %s is left to who reads it", (_, bytes) => {
    expect(isHeld(bytes)).toBe(true);
  });

  it("that is none is not waited for", () => {
    const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
    spawnSync("mkfifo", [pipe]);
    expect(holdsTensors(pipe)).toBe(true);
    symlinkSync(pipe, link);
    expect(() => holdsTensors(link)).toThrow("ELOOP");
  });
});
