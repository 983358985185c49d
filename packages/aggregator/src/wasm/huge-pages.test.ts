import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { hugePages } from "./huge-pages.js";
import { KernelMemory } from "./kernel-memory.js";
import { loadKernelModule } from "./kernel-module.js";

const run = promisify(execFile);
const hasThem = existsSync("/sys/kernel/mm/transparent_hugepage/enabled") && isBuiltin("node:ffi");

it("memory of kernels that grows by much asks for huge pages where Node can, and works as well elsewhere", async () => {
  const kernels = await loadKernelModule();
  if (kernels === undefined) throw new Error("this process has no WebAssembly");
  const before = advisedBytes();
  const memory = new KernelMemory(kernels);
  const bytes = 64 * 2 ** 20;
  const address = memory.allocate(bytes) ?? Number.NaN;
  expect(advisedBytes() - before).toBeGreaterThanOrEqual(hasThem ? bytes : 0);
  memory.view(address, bytes).fill(7);
  expect(memory.view(address + bytes - 1, 1)).toEqual(Uint8Array.of(7));
});

it.each([
  ["with a Node that has no foreign functions", "--no-experimental-ffi"],
  ["under the permission model", "--permission", "--allow-fs-read=*"],
])("there are none %s, and nothing is said", async (_title, ...flags) => {
  const known = await run(process.execPath, ["--help"]);
  const given = flags.filter((flag) => known.stdout.includes(flag.split("=")[0] ?? flag));
  const module = new URL("../../dist/wasm/huge-pages.js", import.meta.url).href;
  const text = `const { hugePages } = await import(${JSON.stringify(module)}); console.log(typeof hugePages())`;
  const { stdout, stderr } = await run(process.execPath, [...given, "--input-type=module", "--eval", text]);
  expect(stdout).toBe("undefined\n");
  expect(stderr).toBe("");
});

it("what is experimental is used without Node's warning, and later ones are given as ever", async () => {
  const module = new URL("../../dist/wasm/huge-pages.js", import.meta.url).href;
  const text = `const { hugePages } = await import(${JSON.stringify(module)}); hugePages(); process.emitWarning("later")`;
  const { stderr } = await run(process.execPath, ["--input-type=module", "--eval", text]);
  expect(stderr).toMatch(/^\(node:\d+\) Warning: later\n/);
});

it("a part smaller than one such page is passed over", () => {
  const memory = new SharedArrayBuffer(2 ** 20);
  const before = advisedBytes();
  hugePages()?.(memory, 0, memory.byteLength);
  expect(advisedBytes()).toBe(before);
});

/** Bytes of this process for which huge pages were asked. */
function advisedBytes(): number {
  if (!existsSync("/proc/self/smaps")) return 0;
  let kilobytes = 0;
  let size = 0;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    const found = /^Size: +(\d+) kB$/.exec(line)?.[1];
    if (found !== undefined) size = Number(found);
    if (/^VmFlags:.* hg( |$)/.test(line)) kilobytes += size;
  }
  return kilobytes * 1024;
}
