import { scalarKernels, simdKernels } from "./generated/kernels.js";
import { type WasmModule, type WebAssemblyApi, webAssembly } from "./web-assembly.js";

/** The compiled kernels, and what they use. */
export interface KernelModule {
  readonly api: WebAssemblyApi;
  readonly module: WasmModule;
  /** Whether they use 128-bit vector instructions. */
  readonly isSimd: boolean;
}

/** A module with one function that splats a vector; it is valid only where vector instructions are; in hexadecimal. */
const simdProbe = "0061736d010000000105016000017b030201000a0a0108004100fd0ffd620b";

/**
 * Compiles the kernels for this process: with vector instructions where there are any; `undefined` where there is no
 * WebAssembly with shared memory, as with Node's `--jitless`.
 */
export async function loadKernelModule(isSimdWanted = true): Promise<KernelModule | undefined> {
  const api = webAssembly();
  if (api === undefined) return undefined;
  const isSimd = isSimdWanted && api.validate(Uint8Array.from(Buffer.from(simdProbe, "hex")));
  const bytes = Uint8Array.from(Buffer.from(isSimd ? simdKernels : scalarKernels, "base64"));
  return api.validate(bytes) ? { api, module: await api.compile(bytes), isSimd } : undefined;
}
