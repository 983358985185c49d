import type { createHash, Hash } from "node:crypto";
import type { readSync } from "node:fs";

/** What is asked of the thread that hashes files; `id` names the hash of one file. */
export type HashRequest =
  /** Hashes a file that is open, from its first byte, or from `offset` where `from` has a mark there. */
  | { readonly name: "begin"; readonly id: number; readonly fd: number; readonly from: number | undefined; readonly offset: number }
  /** All bytes before `to` stand in the file. */
  | { readonly name: "reached"; readonly id: number; readonly to: number }
  /** When all before `at` is hashed, that is kept to go on from. */
  | { readonly name: "mark"; readonly id: number; readonly at: number }
  /** Answers with the hash of all that was reached, or goes no further; the file is not read any more after the answer. */
  | { readonly name: "digest" | "end"; readonly id: number };

/** What the thread answers to `digest` and `end`. */
export interface HashAnswer {
  readonly id: number;
  readonly digest: string;
  /** Why the file could not be read. */
  readonly problem?: string;
}

export interface HashPort {
  on(event: "message", listener: (request: HashRequest) => void): unknown;
  postMessage(answer: HashAnswer): void;
}

/**
 * Hashes files piece by piece, in turns where there are several. It runs on a thread of its own, to which it goes as text: it uses
 * nothing but what it is given.
 */
export function hashFiles(port: HashPort, tools: { readonly createHash: typeof createHash; readonly readSync: typeof readSync }): void {
  interface Running {
    readonly fd: number;
    hash: Hash;
    position: number;
    reached: number;
    /** Places at which the hash is to be kept, and the last ones at which it was. */
    readonly wanted: number[];
    readonly marks: { readonly at: number; readonly hash: Hash }[];
    isDone: boolean;
    problem?: string;
  }
  // Small enough to stay in the cache of a processor between being read and being hashed.
  const piece = Buffer.allocUnsafe(128 * 1024);
  const piecesOfTurn = 8;
  const running = new Map<number, Running>();
  // What may be gone on from, of files that are not hashed any more.
  const left = new Map<number, Running["marks"]>();
  const mostLeft = 64;
  let isScheduled = false;

  const hasWork = ({ position, reached, wanted }: Running): boolean => position < reached || position === wanted[0];

  const step = (each: Running): void => {
    const [mark = each.reached] = each.wanted;
    const want = Math.min(piece.byteLength, Math.min(mark, each.reached) - each.position);
    const got = want > 0 ? tools.readSync(each.fd, piece, 0, want, each.position) : 0;
    if (want > 0 && got === 0) throw new Error("it is shorter than it was");
    each.hash.update(piece.subarray(0, got));
    each.position += got;
    if (each.position !== each.wanted[0]) return;
    each.wanted.shift();
    each.marks.push({ at: each.position, hash: each.hash.copy() });
    if (each.marks.length > 2) each.marks.shift();
  };

  const finish = (id: number, each: Running): void => {
    running.delete(id);
    left.set(id, each.marks);
    for (const oldest of left.keys()) {
      if (left.size <= mostLeft) break;
      left.delete(oldest);
    }
    const { problem } = each;
    port.postMessage({ id, digest: each.hash.digest("hex"), ...(problem === undefined ? {} : { problem }) });
  };

  const turn = (): void => {
    isScheduled = false;
    for (const [id, each] of running) {
      try {
        for (let i = 0; i < piecesOfTurn && hasWork(each); i++) step(each);
      } catch (reason) {
        each.problem = String(reason);
        each.reached = each.position;
        each.wanted.length = 0;
      }
      if (hasWork(each)) schedule();
      else if (each.isDone) finish(id, each);
    }
  };
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    // What was asked for meanwhile is heard between two turns.
    setImmediate(turn);
  };

  port.on("message", (request) => {
    if (request.name === "begin") {
      const { id, fd, from, offset } = request;
      const marks = from === undefined ? undefined : (running.get(from)?.marks ?? left.get(from));
      const mark = marks?.find(({ at }) => at === offset);
      const hash = mark?.hash.copy() ?? tools.createHash("sha256");
      running.set(id, {
        fd,
        hash,
        position: mark?.at ?? 0,
        reached: offset,
        wanted: [],
        marks: mark === undefined ? [] : [mark],
        isDone: false,
      });
    } else {
      const each = running.get(request.id);
      if (each === undefined) return;
      if (request.name === "reached") each.reached = each.problem === undefined ? request.to : each.reached;
      else if (request.name === "mark") each.wanted.push(request.at);
      else {
        each.isDone = true;
        // Up to the last place that is to be kept it goes on.
        if (request.name === "end") each.reached = Math.min(each.reached, each.wanted.at(-1) ?? each.position);
      }
    }
    schedule();
  });
}
