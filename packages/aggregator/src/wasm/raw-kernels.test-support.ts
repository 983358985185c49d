import { KernelMemory } from "./kernel-memory.js";
import { loadKernelModule } from "./kernel-module.js";
import { type KernelName, kernelNames } from "./kernel-names.js";
import { addCall, type KernelProgram, runProgram } from "./kernel-program.js";

/** Kernels with a memory of their own, called one by one. */
export interface RawKernels {
  /** How they were compiled. */
  readonly form: "vector" | "scalar";
  /** Copies values into the memory, `skew` bytes beyond a multiple of 64 as they may lie in a file, and gives their address. */
  put(values: ArrayBufferView, skew?: number): number;
  /** Gives the address of so many bytes that hold anything. */
  room(bytes: number, skew?: number): number;
  /** A copy of what lies in the memory. */
  bytes(address: number, count: number): ArrayBuffer;
  call(name: KernelName, ...args: readonly number[]): void;
  /** Frees everything. @throws Error where a kernel has written beside what it was given */
  reset(): void;
}

/** Both forms of the kernels. */
export async function rawKernels(): Promise<readonly RawKernels[]> {
  return Promise.all([true, false].map(load));
}

const guardBytes = 64;
const guard = 0xa5;

async function load(isSimd: boolean): Promise<RawKernels> {
  const loaded = await loadKernelModule(isSimd);
  if (loaded === undefined) throw new Error("This process has no WebAssembly.");
  const memory = new KernelMemory(loaded);
  const { exports } = new loaded.api.Instance(loaded.module, { env: { memory: memory.memory } });
  const kernels = kernelNames.map((name) => exports[name] as (...args: number[]) => void);
  let rooms: { readonly address: number; readonly before: number; readonly bytes: number }[] = [];
  const room = (bytes: number, skew = 0): number => {
    const before = guardBytes + skew;
    const address = memory.allocate(before + bytes + guardBytes);
    if (address === undefined) throw new Error("There is no memory left.");
    memory.view(address, before + bytes + guardBytes).fill(guard);
    rooms.push({ address, before, bytes });
    return address + before;
  };
  return {
    form: loaded.isSimd ? "vector" : "scalar",
    room,
    put: (values, skew) => {
      const address = room(values.byteLength, skew);
      memory.view(address, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      return address;
    },
    bytes: (address, count) => new Uint8Array(memory.view(address, count)).buffer,
    call: (name, ...args) => {
      const program: KernelProgram = [];
      addCall(program, name, ...args);
      runProgram(kernels, program, memory.memory, () => 0);
    },
    reset: () => {
      for (const { address, before, bytes } of rooms) {
        const isIntact = [memory.view(address, before), memory.view(address + before + bytes, guardBytes)].every((side) =>
          side.every((byte) => byte === guard),
        );
        if (!isIntact) throw new Error(`A kernel has written beside the ${bytes} bytes that it was given.`);
        memory.free(address, before + bytes + guardBytes);
      }
      rooms = [];
    },
  };
}
