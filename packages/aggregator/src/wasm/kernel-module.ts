import { scalarKernels, simdKernels } from "./generated/kernels.js";
import { type WasmModule, type WebAssemblyApi, webAssembly } from "./web-assembly.js";

/** The compiled kernels, and what they use. */
export interface KernelModule {
  readonly api: WebAssemblyApi;
  readonly module: WasmModule;
  /** Whether they use 128-bit vector instructions. */
  readonly isSimd: boolean;
}

/**
 * Compiles the kernels for this process: with vector instructions where there are any; `undefined` where there is no
 * WebAssembly with shared memory, as with Node's `--jitless`.
 */
export async function loadKernelModule(isSimdWanted = true): Promise<KernelModule | undefined> {
  const api = webAssembly();
  if (api === undefined) return undefined;
  for (const isSimd of isSimdWanted ? [true, false] : [false]) {
    const bytes = Uint8Array.from(Buffer.from(isSimd ? simdKernels : scalarKernels, "base64"));
    if (api.validate(bytes)) return { api, module: await api.compile(bytes), isSimd };
  }
  return undefined;
}
