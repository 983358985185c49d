import { describe, expect, it } from "vitest";
import { Turns, TurnsByKey } from "./turns.js";

/** Work that ends when it is told to, and says when it begins. */
function work(said: string[], name: string): { readonly run: () => Promise<string>; readonly end: (error?: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    run: () => {
      said.push(name);
      return promise;
    },
    end: (error) => (error === undefined ? resolve(name) : reject(error)),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  it("begin when what came before has ended, well or not", async () => {
    const said: string[] = [];
    const turns = new Turns();
    const [first, second] = [work(said, "first"), work(said, "second")];
    const failing = turns.take(first.run);
    const following = turns.take(second.run);
    await settled();
    expect(said).toEqual(["first"]);
    first.end(new Error("no"));
    await expect(failing).rejects.toThrow("no");
    await settled();
    expect(said).toEqual(["first", "second"]);
    second.end();
    expect(await following).toBe("second");
    await turns.idle();
  });

  it("of one key do not wait for those of another", async () => {
    const said: string[] = [];
    const turns = new TurnsByKey();
    const [a, other, b] = [work(said, "a"), work(said, "other"), work(said, "b")];
    const all = [turns.take("x", a.run), turns.take("y", other.run), turns.take("x", b.run)];
    await settled();
    expect(said).toEqual(["a", "other"]);
    other.end();
    a.end();
    await settled();
    expect(said).toEqual(["a", "other", "b"]);
    b.end();
    expect(await Promise.all(all)).toEqual(["a", "other", "b"]);
  });
});
