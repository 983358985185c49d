import process from "node:process";

/** Advice of `madvise(2)` on Linux. */
const MADV_HUGEPAGE = 14;
/** Of x86-64, and of ARM with pages of 4 KiB. */
const hugePageBytes = 2 * 1024 * 1024;

/** What is used of the experimental `node:ffi`, which Node has from 26.1 on. */
interface ForeignFunctions {
  dlopen(
    path: null,
    definitions: { readonly madvise: { readonly arguments: readonly string[]; readonly return: string } },
  ): { readonly functions: { madvise(address: bigint, bytes: bigint, advice: number): number } };
  getRawPointer(memory: SharedArrayBuffer): bigint;
}

/**
 * Asks the system to back part of a memory, which nobody has written to yet, by huge pages; NumPy asks for them too. Where the memory
 * of several updates is read at once, looking up pages of 4 KiB takes up to a quarter of the time.
 */
export type AdviseHugePages = (memory: SharedArrayBuffer, begin: number, end: number) => void;

/**
 * The means to ask for huge pages: on Linux, by Node's `node:ffi`. `undefined` with a Node that has none, where the permission model
 * forbids it, and elsewhere; the memory is as good then, and slower to read.
 */
export function hugePages(): AdviseHugePages | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const ffi = withoutWarnings(() => process.getBuiltinModule("node:ffi") as unknown as ForeignFunctions | undefined);
    if (ffi === undefined) return undefined;
    const { functions } = ffi.dlopen(null, { madvise: { arguments: ["u64", "u64", "i32"], return: "i32" } });
    return (memory, begin, end) => {
      if (end - begin < hugePageBytes) return;
      // It may say no, as where the system has none: then all stays as it was.
      functions.madvise(ffi.getRawPointer(memory) + BigInt(begin), BigInt(end - begin), MADV_HUGEPAGE);
    };
  } catch {
    return undefined;
  }
}

/** Node warns of what is experimental at its first use. Whoever uses an engine did not choose that, and has no way to act on it. */
function withoutWarnings<Value>(work: () => Value): Value {
  const own = Object.getOwnPropertyDescriptor(process, "emitWarning");
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    if (own !== undefined) Object.defineProperty(process, "emitWarning", own);
  }
}
