import { expect, it } from "vitest";
import { refreshMemory } from "./refresh-memory.js";
import { webAssembly } from "./web-assembly.js";

/** A memory of which a thread has missed the last growth. */
function staleMemory(): { readonly buffer: SharedArrayBuffer; grow(pages: number): number; readonly grown: number[] } {
  const grown: number[] = [];
  return {
    get buffer(): SharedArrayBuffer {
      return new SharedArrayBuffer(grown.length === 0 ? 65_536 : 131_072);
    },
    grow: (pages) => {
      grown.push(pages);
      return 2;
    },
    grown,
  };
}

it("a thread that has missed that the memory grew sees all of it, and does not make it larger", () => {
  const memory = staleMemory();
  refreshMemory(memory, 131_072);
  expect([memory.buffer.byteLength, memory.grown]).toEqual([131_072, [0]]);
});

it("a thread that sees enough is left alone", () => {
  const memory = staleMemory();
  refreshMemory(memory, 65_536);
  expect(memory.grown).toEqual([]);
});

it("growing by nothing is what WebAssembly allows, at the largest size too", () => {
  const api = webAssembly();
  if (api === undefined) throw new TypeError("this process has no WebAssembly");
  const memory = new api.Memory({ initial: 2, maximum: 2, shared: true });
  expect(memory.grow(0)).toBe(2);
  expect(memory.buffer.byteLength).toBe(131_072);
});
