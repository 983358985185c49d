import { type Block, type KernelMemory, pageBytes } from "./kernel-memory.js";
import type { KernelProgram, ReadFailure, runProgram } from "./kernel-program.js";
import type { refreshMemory } from "./refresh-memory.js";
import { exhausted } from "./thread-scratch.js";
import type { WasmMemory } from "./web-assembly.js";

/** Programs that stand on a board at once, a power of two; more wait until there is room. */
const boardEntries = 16;
/** Numbers that say how a program ended: how, file descriptor, position, and what the system said, a character each. */
const outcomeNumbers = 64;

/**
 * The programs of one thread, in memory that it shares with the one that asks: a thread that has more to do goes on without being woken,
 * and tells of several that it has ended at once.
 */
export class ProgramBoard {
  /** Programs put, ended, 1 while the news of an end is under way, then address, length and the memory's pages of each entry. */
  readonly shared = new Int32Array(new SharedArrayBuffer(4 * (3 + 3 * boardEntries)));
  readonly #memory: KernelMemory;
  /** Where the programs stand that are on the board, the oldest first. */
  readonly #put: Block[] = [];
  #ended = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  get isFull(): boolean {
    return this.#put.length === boardEntries;
  }

  /** Puts a program on a board that is not full. @throws `aggregate/memory-exhausted` */
  put(program: KernelProgram): void {
    const bytes = 8 * Math.max(program.length, outcomeNumbers);
    const address = this.#memory.allocate(bytes);
    if (address === undefined) throw exhausted(bytes);
    this.#memory.doubles(address, program.length).set(program);
    const count = Atomics.load(this.shared, 0);
    this.shared.set([address, program.length, this.#memory.size / pageBytes], 3 + 3 * (count & (boardEntries - 1)));
    this.#put.push({ address, bytes });
    Atomics.store(this.shared, 0, (count + 1) | 0);
    Atomics.notify(this.shared, 0);
  }

  /** How the programs ended that have ended since, in the order in which they were put. */
  takeEnded(): readonly (ReadFailure | undefined)[] {
    Atomics.store(this.shared, 2, 0);
    const count = Atomics.load(this.shared, 1);
    const outcomes: (ReadFailure | undefined)[] = [];
    for (; this.#ended !== count; this.#ended = (this.#ended + 1) | 0) {
      const { address, bytes } = this.#put.shift() as Block;
      outcomes.push(readOutcome(this.#memory.doubles(address, outcomeNumbers)));
      this.#memory.free(address, bytes);
    }
    return outcomes;
  }
}

function readOutcome([status, fd = 0, position = 0, ...code]: Float64Array): ReadFailure | undefined {
  if (status === 0) return undefined;
  return { fd, position, code: status === 1 ? undefined : String.fromCharCode(...code.slice(0, code.indexOf(0))) };
}

/** What a thread works with. */
export interface BoardTools {
  readonly kernels: readonly ((...args: number[]) => void)[];
  readonly memory: WasmMemory;
  readonly readSync: Parameters<typeof runProgram>[3];
  readonly run: typeof runProgram;
  readonly refresh: typeof refreshMemory;
  /** Tells the other side that programs have ended. */
  readonly tell: () => void;
}

/** Carries out what is put on a board, for ever. It is sent to threads as text, so it uses nothing but its parameters. */
export function serveBoard(shared: Int32Array, { kernels, memory, readSync, run, refresh, tell }: BoardTools): never {
  const entries = (shared.length - 3) / 3;
  for (let ended = 0; ; ) {
    while (Atomics.load(shared, 0) === ended) Atomics.wait(shared, 0, ended);
    const at = 3 + 3 * (ended & (entries - 1));
    refresh(memory, 65_536 * (shared[at + 2] as number));
    const address = (shared[at] as number) >>> 0;
    const program = new Float64Array(memory.buffer, address, shared[at + 1]);
    const failure = run(kernels, program as unknown as readonly number[], memory, readSync);
    const code = failure?.code;
    const text = Array.from((code ?? "").slice(0, 60), (char) => char.charCodeAt(0));
    const outcome = failure === undefined ? [0] : [code === undefined ? 1 : 2, failure.fd, failure.position, ...text, 0];
    new Float64Array(memory.buffer, address, outcome.length).set(outcome);
    ended = (ended + 1) | 0;
    Atomics.store(shared, 1, ended);
    if (Atomics.exchange(shared, 2, 1) === 0) tell();
  }
}
