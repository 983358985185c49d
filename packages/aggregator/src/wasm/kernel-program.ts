import type { Dtype } from "../tensor.js";
import { type KernelName, type KernelType, kernelNames } from "./kernel-names.js";

/** What a thread does, step after step, as numbers: the step's number, how many arguments, the arguments. */
export type KernelProgram = number[];

/** Stands for a read where a kernel's number would: file descriptor, address, bytes, position in the file. */
const readStep = -1;

const numberOf = new Map<string, number>(kernelNames.map((name, index) => [name, index]));

/** Adds a call of a kernel; its arguments stand in `assembly/`. */
export function addCall(program: KernelProgram, kernel: KernelName, ...args: readonly number[]): void {
  program.push(numberOf.get(kernel) ?? 0, args.length, ...args);
}

/** Adds a read of a file into the memory of the kernels. */
export function addRead(program: KernelProgram, fd: number, address: number, bytes: number, position: number): void {
  if (bytes > 0) program.push(readStep, 4, fd, address, bytes, position);
}

/** How kernels call an element type; `undefined` for those that they do not know. */
export function kernelType(dtype: Dtype): KernelType | undefined {
  if (dtype === "BF16") return "Bf16";
  return dtype === "F32" || dtype === "F16" || dtype === "F64" ? dtype : undefined;
}

/** A read that gave fewer bytes than were asked for, or none. */
export interface ReadFailure {
  readonly fd: number;
  /** The system's word for it; none where the file has ended. */
  readonly code: string | undefined;
  /** Where the file ended or could not be read. */
  readonly position: number;
}

/**
 * Carries out a program, and gives the failure that ended it, if any. It is sent to threads as text, so it uses nothing but
 * its parameters.
 *
 * @param readSync - that of `node:fs`
 */
export function runProgram(
  kernels: readonly ((...args: number[]) => void)[],
  program: readonly number[],
  memory: { readonly buffer: ArrayBufferLike },
  readSync: (fd: number, buffer: Uint8Array, offset: number, length: number, position: number) => number,
): ReadFailure | undefined {
  let bytes = new Uint8Array(memory.buffer);
  for (let at = 0; at < program.length; ) {
    const step = program[at] as number;
    const end = at + 2 + (program[at + 1] as number);
    if (step >= 0) (kernels[step] as (...args: number[]) => void)(...program.slice(at + 2, end));
    else {
      const [fd = 0, address = 0, length = 0, from = 0] = program.slice(at + 2, end);
      // The memory may have grown since.
      if (address + length > bytes.byteLength) bytes = new Uint8Array(memory.buffer);
      let done = 0;
      while (done < length) {
        let some = 0;
        try {
          some = readSync(fd, bytes, address + done, length - done, from + done);
        } catch (cause) {
          return { fd, code: (cause as { readonly code?: string }).code ?? "unknown reason", position: from + done };
        }
        if (some === 0) return { fd, code: undefined, position: from + done };
        done += some;
      }
    }
    at = end;
  }
  return undefined;
}
