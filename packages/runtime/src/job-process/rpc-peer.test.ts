import { FlareError } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { memoryChannels } from "./memory-channel.test-support.js";
import { type CallHandlers, RpcPeer } from "./rpc-peer.js";

interface ParentSide {
  readonly calls: { add(params: { readonly a: number; readonly b: number }): { readonly sum: number }; never(params: object): object };
  readonly notices: object;
}

interface ChildSide {
  readonly calls: object;
  readonly notices: { readonly word: string };
}

describe("RpcPeer", () => {
  it("answers calls, several at once", async () => {
    const { child } = peers();
    expect(await Promise.all([child.call("add", { a: 1, b: 2 }), child.call("add", { a: 3, b: 4 })])).toEqual([{ sum: 3 }, { sum: 7 }]);
  });

  it("keeps the order of answers and notices", async () => {
    const { parent, child, heard } = peers();
    parent.notify("word", "first");
    await child.call("add", { a: 1, b: 1 });
    expect(heard).toEqual(["first"]);
    parent.notify("word", "second");
    parent.notify("word", "third");
    await child.call("add", { a: 1, b: 1 });
    expect(heard).toEqual(["first", "second", "third"]);
  });

  it("calls for no answer, in the order of all that is said, whatever becomes of it", async () => {
    const asked: string[] = [];
    const { child } = peers({
      add: ({ a, b }) => {
        asked.push(`${a} and ${b}`);
        if (a === 1) throw new FlareError("file/not-found", "x is not there.");
        return { sum: a + b };
      },
    });
    child.tell("add", { a: 1, b: 2 });
    child.tell("add", { a: 3, b: 4 });
    expect(await child.call("add", { a: 5, b: 6 })).toEqual({ sum: 11 });
    expect(asked).toEqual(["1 and 2", "3 and 4", "5 and 6"]);
  });

  it("carries errors across with code, message, facts and problems", async () => {
    const error = new FlareError("file/not-found", "x is not there.", { facts: { file: "x" }, problems: [{ message: "line", line: 3 }] });
    const { child } = peers({
      add: () => {
        throw error;
      },
    });
    await expect(child.call("add", { a: 1, b: 2 })).rejects.toMatchObject({ ...error.toJSON(), name: "FlareError" });
  });

  it("refuses a call that the other side does not offer, and one that only the prototype of its table has", async () => {
    const { child } = peers();
    await expect(child.call("toString" as "add", { a: 1, b: 2 })).rejects.toMatchObject({ code: "runtime/unknown-call" });
    await expect(child.call("other" as "add", { a: 1, b: 2 })).rejects.toMatchObject({ code: "runtime/unknown-call" });
  });

  it("fails calls that wait when the other side goes away, and all calls after that", async () => {
    const { parent, child } = peers();
    const waiting = child.call("never", {});
    parent.close();
    await expect(waiting).rejects.toMatchObject({ code: "runtime/channel-closed" });
    await expect(child.call("add", { a: 1, b: 2 })).rejects.toMatchObject({ code: "runtime/channel-closed" });
  });

  it("ignores messages that it does not understand", async () => {
    const [parentEnd, childEnd] = memoryChannels();
    const child = new RpcPeer<ChildSide, ParentSide>({ channel: childEnd }, { handlers: {}, listeners: { word: () => {} } });
    child.start();
    for (const message of [null, 7, "text", {}, { notice: "unknown" }, { id: 99, result: 1 }, { id: "x" }]) parentEnd.send(message);
    new RpcPeer<ParentSide, ChildSide>({ channel: parentEnd }, { handlers: handlers(), listeners: {} }).start();
    expect(await child.call("add", { a: 1, b: 2 })).toEqual({ sum: 3 });
  });
});

function handlers(): CallHandlers<ParentSide["calls"]> {
  return { add: ({ a, b }) => ({ sum: a + b }), never: () => new Promise(() => {}) };
}

function peers(special: Partial<CallHandlers<ParentSide["calls"]>> = {}): {
  readonly parent: RpcPeer<ParentSide, ChildSide>;
  readonly child: RpcPeer<ChildSide, ParentSide>;
  readonly heard: string[];
} {
  const [parentEnd, childEnd] = memoryChannels();
  const heard: string[] = [];
  const parent = new RpcPeer<ParentSide, ChildSide>({ channel: parentEnd }, { handlers: { ...handlers(), ...special }, listeners: {} });
  const child = new RpcPeer<ChildSide, ParentSide>(
    { channel: childEnd },
    { handlers: {}, listeners: { word: (word) => heard.push(word) } },
  );
  parent.start();
  child.start();
  return { parent, child, heard };
}
