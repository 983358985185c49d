import { expect, it } from "vitest";
import { bandwidthModule } from "./bandwidth-module.ts";
import { bandwidthThreads } from "./bandwidth-threads.ts";

interface WebAssemblyApi {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, (...args: number[]) => number>> };
}

const { Memory, Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;

function instance(): {
  readonly call: (name: string, ...args: number[]) => number;
  readonly values: Float32Array;
  readonly words: Int32Array;
} {
  const memory = new Memory({ initial: 1, maximum: 65_536, shared: true });
  const { exports } = new Instance(new Module(bandwidthModule()), { env: { memory } });
  return {
    call: (name, ...args) => exports[name]?.(...args) ?? Number.NaN,
    values: new Float32Array(memory.buffer),
    words: new Int32Array(memory.buffer),
  };
}

it.each(["read", "readFour"])("%s reads every byte once and no other", (name) => {
  const { call, words } = instance();
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2_654_435_761);
  // The hash of four bytes in 16 is their exclusive or: a byte that is left out, read twice or read outside would change it.
  const hash = words.subarray(256, 256 + 512).reduce((all, word, i) => (i % 4 === 0 ? all ^ word : all), 0);
  expect(call(name, 1024, 2048)).toBe(hash);
});

it("copy and triad write what they say, and nothing beside it", () => {
  const { call, values } = instance();
  for (let i = 0; i < values.length; i++) values[i] = i;
  call("copy", 4096, 1024, 512);
  expect(values.slice(1023, 1154)).toEqual(Float32Array.from([1023, ...Array.from({ length: 128 }, (_, i) => 256 + i), 1152, 1153]));
  call("triad", 8192, 0, 1024, 256);
  expect(values.slice(2047, 2113)).toEqual(Float32Array.from([2047, ...Array.from({ length: 64 }, (_, i) => i + 0.5 * (256 + i)), 2112]));
});

it("threads share the memory out and count what they move", async () => {
  const threads = bandwidthThreads(2, 2 ** 20);
  if (threads === undefined) throw new Error("this process has no WebAssembly");
  try {
    expect([threads.bytes("read", 1), threads.bytes("readFour", 2), threads.bytes("copy", 2)]).toEqual([2 ** 20, 2 ** 20, 2 ** 20]);
    expect(threads.bytes("triad", 1)).toBe(1_048_320);
    for (const name of ["read", "readFour", "copy", "triad"] as const) expect(await threads.run(name, 2)).toBeGreaterThan(0);
  } finally {
    await threads.close();
  }
});
