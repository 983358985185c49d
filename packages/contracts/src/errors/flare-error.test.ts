import { describe, expect, it } from "vitest";
import { errorCatalogue } from "./catalogue/index.js";
import { exitStatus, grpcStatus } from "./catalogue/row.js";
import { FlareError, isErrorCode } from "./flare-error.js";

describe("FlareError", () => {
  it("crosses processes unchanged", () => {
    const error = new FlareError("file/not-found", "There is no x.", {
      facts: { file: "x", tries: [1, 2] },
      problems: [{ message: "m", file: "x", line: 1, column: 2 }],
    });
    const copy = FlareError.fromJSON(JSON.parse(JSON.stringify(error)) as ReturnType<FlareError["toJSON"]>);
    expect(copy).toBeInstanceOf(FlareError);
    expect(copy.toJSON()).toEqual(error.toJSON());
    expect(copy.row).toBe(errorCatalogue["file/not-found"]);
  });

  it("keeps a code that it does not know among the facts", () => {
    const error = FlareError.fromJSON({ code: "future/thing", message: "later" });
    expect(error.code).toBe("internal/bug");
    expect(error.facts).toEqual({ unknownCode: "future/thing" });
  });

  it("does not take inherited names for codes", () => {
    expect(["toString", "constructor", "__proto__"].filter(isErrorCode)).toEqual([]);
  });

  it("makes anything that was caught an error of the catalogue, with its cause", () => {
    const known = new FlareError("file/unreadable", "no");
    expect(FlareError.from(known)).toBe(known);
    const cause = new RangeError("boom");
    expect(FlareError.from(cause)).toMatchObject({ code: "internal/bug", message: "boom", cause });
    expect(FlareError.from("text")).toMatchObject({ code: "internal/bug", message: "text" });
    expect(FlareError.from(AbortSignal.abort().reason)).toMatchObject({ code: "internal/aborted" });
  });

  it("takes the end of a caller's own time for a stop, and not for a fault of the software", async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
    expect(FlareError.from(signal.reason)).toMatchObject({ code: "internal/aborted", message: expect.stringMatching(/time that was set/) });
  });
});

describe("the error catalogue", () => {
  const rows = Object.entries(errorCatalogue);

  it.each(rows)("says of %s what it means, what to do, and nothing unknown", (code, row) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(row.means).toMatch(/^[A-Z\p{L}].*[.)]$/su);
    expect(row.todo).toMatch(/[.)]$/);
    expect(Object.values(exitStatus)).toContain(row.exit);
    expect(row.exit).not.toBe(exitStatus.ok);
    expect(Object.values(grpcStatus)).toContain(row.grpc);
    expect(row.http).toBeGreaterThanOrEqual(400);
    expect(row.http).toBeLessThan(600);
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(errorCatalogue)).toBe(true);
    expect(rows.filter(([, row]) => !Object.isFrozen(row))).toEqual([]);
  });
});
