import { link, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LogFields, Logger } from "../logging/logger.js";
import { Admission, type AdmissionInit, type Admitted } from "./admission.js";
import { DiskBudget } from "./disk-budget.js";

const mebibyte = 2 ** 20;
const noSpares = { models: { releaseSpares: () => Promise.resolve(0) } };
let folder = "";
let steadyMs = 0;
let lines: (readonly [string, LogFields | undefined])[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-admission-"));
  steadyMs = 0;
  lines = [];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

function admission(init: Partial<AdmissionInit>, disk?: DiskBudget, isThreadBusy?: () => boolean): Admission {
  const note = (message: string, fields?: LogFields): void => void lines.push([message, fields]);
  const logger = { info: note, warn: note, debug: () => undefined } as unknown as Logger;
  return new Admission(
    { logger, now: () => 1_000, steadyNow: () => steadyMs, disk, isThreadBusy },
    { most: 8, setBy: "--max-memory 512 MiB", ...init },
  );
}

/** Asks, and keeps what it is given. */
function ask(rooms: Admission, who: string, diskBytes = 0, signal?: AbortSignal) {
  const asked = { isIn: false, admitted: undefined as Admitted | undefined, reasons: [] as string[], failure: undefined as unknown };
  rooms
    .enter({ who, what: "upload", diskBytes }, signal, (reason) => asked.reasons.push(reason))
    .then(
      (admitted) => Object.assign(asked, { isIn: true, admitted }),
      (failure: unknown) => Object.assign(asked, { failure }),
    );
  return asked;
}

/** Lets what is due by itself happen, the disk being looked at included. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

describe("transfers beyond the memory", () => {
  it("wait in their order, are logged once where it takes long, and go on when others leave", async () => {
    const rooms = admission({ most: 2 });
    const [a, b, c, d] = ["a", "b", "c", "d"].map((who) => ask(rooms, who));
    await settle();
    expect([a, b, c, d].map((asked) => asked?.isIn)).toEqual([true, true, false, false]);
    expect(rooms.waiting().map(({ who, reason }) => [who, reason])).toEqual([
      ["c", "2 are under way, as many as --max-memory 512 MiB lets in"],
      ["d", "2 are under way, as many as --max-memory 512 MiB lets in"],
    ]);
    for (const ms of [900, 200, 200]) {
      steadyMs += ms;
      vi.advanceTimersByTime(250);
      await settle();
    }
    const short = ask(rooms, "short");
    b?.admitted?.leave();
    // A second time changes nothing.
    b?.admitted?.leave();
    await settle();
    expect([c?.isIn, d?.isIn]).toEqual([true, false]);
    a?.admitted?.leave();
    await settle();
    expect([d?.isIn, short.isIn]).toEqual([true, false]);
    d?.admitted?.leave();
    await settle();
    expect(short.isIn).toBe(true);
    expect(rooms.waiting()).toEqual([]);
    expect(lines.map(([message, fields]) => [message, fields?.["who"]])).toEqual([
      ["waits for room", "c"],
      ["waits for room", "d"],
      ["goes on after waiting", "c"],
      ["goes on after waiting", "d"],
    ]);
  });

  it("may give up, and those behind them move up", async () => {
    const rooms = admission({ most: 1 });
    const first = ask(rooms, "a");
    const stop = new AbortController();
    const [second, third] = [ask(rooms, "b", 0, stop.signal), ask(rooms, "c")];
    await settle();
    stop.abort(new Error("the link is cut"));
    first.admitted?.leave();
    await settle();
    expect(second.failure).toMatchObject({ message: "the link is cut" });
    expect(third.isIn).toBe(true);
  });

  it("of one participant who asks for much at once keep nobody else waiting for more than what is in already", async () => {
    const rooms = admission({ most: 1 });
    const greedy = Array.from({ length: 20 }, () => ask(rooms, "greedy"));
    const modest = ask(rooms, "modest");
    await settle();
    expect([greedy[0]?.isIn, modest.isIn]).toEqual([true, false]);
    greedy[0]?.admitted?.leave();
    await settle();
    expect(modest.isIn).toBe(true);
    const next = ask(rooms, "greedy");
    modest.admitted?.leave();
    await settle();
    expect([greedy[1]?.isIn, next.isIn]).toEqual([true, false]);
  });

  it("share a busy machine with few, and a slow line keeps nobody out", async () => {
    const rooms = admission({ most: 8, mostBusy: 1 });
    const first = ask(rooms, "slow");
    const second = ask(rooms, "fast");
    await settle();
    expect([first.isIn, second.isIn]).toEqual([true, false]);
    expect(second.reasons).toEqual(["1 are under way that keep this machine busy"]);
    first.admitted?.note(10_000);
    steadyMs += 300;
    vi.advanceTimersByTime(300);
    await settle();
    expect(second.isIn).toBe(true);
    const third = ask(rooms, "third");
    for (let i = 0; i < 4; i++) {
      second.admitted?.note(4 * mebibyte);
      steadyMs += 250;
      vi.advanceTimersByTime(250);
      await settle();
    }
    expect(third.isIn).toBe(false);
    second.admitted?.leave();
    await settle();
    expect(third.isIn).toBe(true);
  });
});

describe("transfers that are slow because they are many", () => {
  it("let no more in while the thread is busy with them, and do once it is not", async () => {
    let isThreadBusy = true;
    const rooms = admission({ most: 8, mostBusy: 2 }, undefined, () => isThreadBusy);
    const inside = ["a", "b"].map((who) => ask(rooms, who));
    const third = ask(rooms, "c");
    const spans = async (bytes: number): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        for (const { admitted } of inside) admitted?.note(bytes);
        steadyMs += 250;
        vi.advanceTimersByTime(250);
        await settle();
      }
    };
    await settle();
    await spans(3 * mebibyte);
    expect(third.isIn).toBe(false);
    expect(third.reasons.at(-1)).toBe("2 are under way that keep this machine busy together");
    isThreadBusy = false;
    await spans(3 * mebibyte);
    expect(third.isIn).toBe(true);
    // Whoever moves next to nothing keeps nobody out, whatever the thread is busy with.
    isThreadBusy = true;
    const fourth = ask(rooms, "d");
    await spans(10);
    expect(fourth.isIn).toBe(true);
  });
});

describe("transfers whose bytes wait for this machine", () => {
  it("let no more in, however few they move, until they wait for the other end again or stand still", async () => {
    const rooms = admission({ most: 8, mostBusy: 1 });
    const first = ask(rooms, "a");
    const second = ask(rooms, "b");
    const spans = async (count: number, move?: () => void): Promise<void> => {
      for (let i = 0; i < count; i++) {
        move?.();
        steadyMs += 250;
        vi.advanceTimersByTime(250);
        await settle();
      }
    };
    await settle();
    await spans(12, () => first.admitted?.note(10, true));
    expect([second.isIn, second.reasons]).toEqual([false, ["1 are under way that keep this machine busy"]]);
    await spans(3, () => first.admitted?.note(10));
    expect(second.isIn).toBe(true);
    const third = ask(rooms, "c");
    second.admitted?.note(10, true);
    await spans(7);
    expect(third.isIn).toBe(false);
    await spans(2);
    expect(third.isIn).toBe(true);
  });

  it("are those that have moved nothing yet, for a while", async () => {
    const rooms = admission({ most: 8, mostBusy: 1 });
    ask(rooms, "a");
    const second = ask(rooms, "b");
    await settle();
    steadyMs += 1_900;
    vi.advanceTimersByTime(250);
    await settle();
    expect(second.isIn).toBe(false);
    steadyMs += 200;
    vi.advanceTimersByTime(250);
    await settle();
    expect(second.isIn).toBe(true);
  });
});

describe("transfers beyond the disk", () => {
  it("wait until there is room, with what is wanted and what is there; those that write nothing pass", async () => {
    const disk = new DiskBudget(noSpares, { folder, maxBytes: 10 * mebibyte });
    await writeFile(join(folder, "held"), Buffer.alloc(6 * mebibyte));
    const rooms = admission({}, disk);
    const [first, second, reader] = [ask(rooms, "a", 3 * mebibyte), ask(rooms, "b", 2 * mebibyte), ask(rooms, "c")];
    await until(() => first.isIn && reader.isIn && second.reasons.length > 0);
    expect(second.reasons).toEqual(["2 MiB are wanted, and of --max-disk 10 MiB 9 MiB are taken"]);
    // What is written is there, and not promised any more.
    await writeFile(join(folder, "new"), Buffer.alloc(3 * mebibyte));
    first.admitted?.note(3 * mebibyte);
    first.admitted?.leave();
    await settle();
    expect(second.isIn).toBe(false);
    await rm(join(folder, "held"));
    vi.advanceTimersByTime(250);
    await until(() => second.isIn);
  });

  it("that are announced too large for the disk keep out no smaller ones", async () => {
    const disk = new DiskBudget(noSpares, { folder, maxBytes: 10 * mebibyte });
    const rooms = admission({}, disk);
    const sizes = [2 ** 50, 10 * mebibyte + 1, 2 ** 49].map((bytes) => ask(rooms, "hostile", bytes));
    const honest = [ask(rooms, "a", 3 * mebibyte), ask(rooms, "b", 3 * mebibyte)];
    await until(() => honest.every(({ isIn }) => isIn));
    expect(sizes.map(({ isIn }) => isIn)).toEqual([false, false, false]);
  });

  it("leave room for the models of running rounds, and for others on the disk", async () => {
    const disk = new DiskBudget(noSpares, { folder, maxBytes: 10 * mebibyte });
    disk.reserve("job", 8 * mebibyte);
    expect(await disk.shortage(3 * mebibyte, 0)).toMatch(/3 MiB are wanted, .* and 8 MiB kept for the models of running rounds/);
    disk.reserve("job", 0);
    expect(await disk.shortage(3 * mebibyte, 0)).toBeUndefined();
    expect(await new DiskBudget(noSpares, { folder, maxBytes: 2 ** 60 }).shortage(2 ** 55, 0)).toMatch(
      /the disk has .* free, of which 1 GiB stay free/,
    );
  });

  it("have the room of what the store keeps without need", async () => {
    const spare = join(folder, "spare");
    await writeFile(spare, Buffer.alloc(8 * mebibyte));
    const releaseSpares = async (): Promise<number> => {
      await rm(spare, { force: true });
      return 8 * mebibyte;
    };
    const disk = new DiskBudget({ models: { releaseSpares } }, { folder, maxBytes: 10 * mebibyte });
    expect(await disk.shortage(2 * mebibyte, 0)).toBeUndefined();
    expect(await disk.usedBytes()).toBe(8 * mebibyte);
    expect(await disk.shortage(3 * mebibyte, 0)).toBeUndefined();
    expect(await disk.usedBytes()).toBe(0);
  });

  it("count a file with two names once", async () => {
    await writeFile(join(folder, "one"), Buffer.alloc(mebibyte));
    await link(join(folder, "one"), join(folder, "two"));
    expect(await new DiskBudget(noSpares, { folder, maxBytes: 1 }).usedBytes()).toBe(mebibyte);
  });
});
