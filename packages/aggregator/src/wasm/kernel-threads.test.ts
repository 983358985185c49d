import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KernelMemory } from "./kernel-memory.js";
import type { KernelModule } from "./kernel-module.js";
import { loadKernelModule } from "./kernel-module.js";
import { addCall, addRead, type KernelProgram } from "./kernel-program.js";
import { kernelThreads } from "./kernel-threads.js";

let folder = "";
let kernels: KernelModule;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-threads-"));
  const loaded = await loadKernelModule();
  if (loaded === undefined) throw new Error("This process has no WebAssembly.");
  kernels = loaded;
});
afterAll(() => rm(folder, { recursive: true }));

const reading = (fd: number, at: number, bytes: number): KernelProgram => {
  const program: KernelProgram = [];
  addRead(program, fd, at, bytes, 0);
  return program;
};

it.each([1, 2])("%i threads run more programs than are on a board at once, each in its turn, and give their memory back", async (count) => {
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, count);
  const places = Array.from({ length: 200 }, () => memory.allocate(64) ?? 0);
  try {
    // Each adds 1 to what the one before it has left there, on the same thread.
    const thread = threads.next();
    const one = memory.allocate(64) ?? 0;
    new BigInt64Array(memory.memory.buffer, one, 1)[0] = 1n;
    const before = memory.size;
    const ended: number[] = [];
    await Promise.all(
      places.map(async (place, i) => {
        const program: KernelProgram = [];
        addCall(program, "addSteps", place, places[i - 1] ?? one, 1);
        addCall(program, "addSteps", place, one, 1);
        expect(await thread.run(program)).toBeUndefined();
        ended.push(i);
      }),
    );
    expect(ended).toEqual(places.map((_, i) => i));
    expect(new BigInt64Array(memory.memory.buffer, places.at(-1), 1)[0]).toBe(201n);
    const wide: KernelProgram = [];
    for (let i = 0; i < 2000; i++) addCall(wide, "addSteps", one, one, 1);
    for (let i = 0; i < 40; i++) await thread.run(wide);
    expect(memory.size - before).toBeLessThanOrEqual(65_536 * 4);
  } finally {
    await threads.close();
  }
});

it.each([1, 2])("%i threads tell of the read that failed and of what the system said, and go on", async (count) => {
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, count);
  const at = memory.allocate(4096) ?? 0;
  const path = join(folder, "short");
  await writeFile(path, "ten bytes.");
  const file = openSync(path, "r");
  const closed = openSync(folder, "r");
  try {
    const outcomes = await Promise.all(
      [reading(file, at, 10), reading(file, at, 11), reading(closed, at, 4)].map((p) => threads.next().run(p)),
    );
    expect(outcomes).toEqual([undefined, { fd: file, code: undefined, position: 10 }, { fd: closed, code: "EISDIR", position: 0 }]);
    expect(await threads.next().run(reading(file, at, 10))).toBeUndefined();
    expect(Buffer.from(memory.view(at, 10)).toString()).toBe("ten bytes.");
  } finally {
    closeSync(file);
    closeSync(closed);
    await threads.close();
  }
});

it("what waits for threads that are ended is refused", async () => {
  const memory = new KernelMemory(kernels);
  const threads = kernelThreads(kernels, memory, 2);
  const thread = threads.next();
  const at = memory.allocate(64) ?? 0;
  const runs = Array.from({ length: 40 }, () => {
    const program: KernelProgram = [];
    addCall(program, "addSteps", at, at, 8);
    return thread.run(program);
  });
  const settled = Promise.allSettled(runs);
  await threads.close();
  const refused = (await settled).filter((each) => each.status === "rejected");
  for (const each of refused) expect(each.reason).toMatchObject({ code: "aggregate/threads-ended" });
  await expect(thread.run([])).rejects.toMatchObject({ code: "aggregate/threads-ended" });
});
