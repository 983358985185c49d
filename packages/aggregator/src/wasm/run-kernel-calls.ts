/**
 * Carries out calls that stand one after the other in one array: the kernel's number, how many arguments, the arguments.
 *
 * It is sent to threads as text, so it uses nothing but its parameters.
 */
export function runKernelCalls(kernels: readonly ((...args: number[]) => void)[], calls: readonly number[]): void {
  for (let at = 0; at < calls.length; ) {
    const kernel = kernels[calls[at] as number] as (...args: number[]) => void;
    const end = at + 2 + (calls[at + 1] as number);
    kernel(...calls.slice(at + 2, end));
    at = end;
  }
}
