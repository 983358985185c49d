import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebGpuOpening } from "./open-webgpu-device.js";

/** This package, as it is built, in a folder where it finds the package `webgpu` only if a test puts one there. */
let folder = "";
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "flare-webgpu-")));
  await cp(fileURLToPath(new URL("../../dist", import.meta.url)), join(folder, "dist"), { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await mkdir(join(folder, "node_modules", "@flare-ts"), { recursive: true });
  const contracts = fileURLToPath(new URL("../../../contracts", import.meta.url));
  await symlink(contracts, join(folder, "node_modules", "@flare-ts", "contracts"), "junction");
});
afterAll(() => rm(folder, { recursive: true }));

/** Opens the device in a process of its own, with such a package. */
async function openWith(webgpu: string, timeoutMs = 30_000): Promise<WebGpuOpening> {
  const place = join(folder, "node_modules", "webgpu");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "package.json"), JSON.stringify({ name: "webgpu", version: "1.2.3", type: "module", main: "index.js" }));
  await writeFile(join(place, "index.js"), webgpu);
  try {
    return await openHere(timeoutMs);
  } finally {
    await rm(place, { recursive: true });
  }
}

async function openHere(timeoutMs = 30_000): Promise<WebGpuOpening> {
  const program = `
    const { openWebGpuDevice, probeInChild } = await import(${JSON.stringify(pathToFileURL(join(folder, "dist", "index.js")).href)});
    console.log(JSON.stringify(await openWebGpuDevice({ probe: probeInChild }, { timeoutMs: ${timeoutMs} })));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  return JSON.parse(stdout) as WebGpuOpening;
}

describe("a GPU that cannot be opened is a reason", () => {
  it("when the package is not installed", async () => {
    expect(await openHere()).toEqual({ kind: "unavailable", why: "package-missing", reason: "The package webgpu is not installed." });
  });

  it("when the package cannot be loaded", async () => {
    expect(await openWith("throw new Error('wrong ELF class');")).toEqual({
      kind: "unavailable",
      why: "load-failed",
      reason: 'The package webgpu 1.2.3 cannot be loaded: "wrong ELF class".',
    });
  });

  it("when there is none, with what the driver wrote", async () => {
    const webgpu = `console.error("no libvulkan"); export const create = () => ({ requestAdapter: async () => null });`;
    expect(await openWith(webgpu)).toEqual({
      kind: "unavailable",
      why: "no-adapter",
      reason: 'The package webgpu 1.2.3 finds no GPU that it can use; the driver wrote "no libvulkan".',
    });
  });

  it("when it refuses to be used", async () => {
    const webgpu = `export const create = () => ({ requestAdapter: async () => ({ requestDevice: async () => { throw new Error("busy"); } }) });`;
    expect(await openWith(webgpu)).toEqual({
      kind: "unavailable",
      why: "driver-failed",
      reason: `The GPU's driver failed when tried: "busy".`,
    });
  });

  it.each([
    ["crashes", "export const create = () => process.abort();", 30_000, /ended by SIGABRT/],
    ["hangs", "export const create = () => { for (;;); };", 1000, /did not end within 1000 ms/],
  ])("when the driver %s, which does no harm to this process", async (_, webgpu, timeoutMs, reason) => {
    const opening = await openWith(webgpu, timeoutMs);
    expect(opening).toMatchObject({ kind: "unavailable", why: "driver-failed" });
    expect(opening.kind === "unavailable" ? opening.reason : "").toMatch(reason);
  });
});
