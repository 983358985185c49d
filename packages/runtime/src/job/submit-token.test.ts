import { jobIdSchema, limits } from "@flare-ts/contracts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jobIdOfToken } from "./submit-token.js";

const owner = { project: "p", submitter: "ann@a.org", study: "default" };

describe("the id of a job that is submitted with a token", () => {
  it("is one that jobs have, the same for the same token", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: limits.submitTokenChars }), (token) => {
        const id = jobIdOfToken(token, owner);
        expect(jobIdSchema.parse(id)).toBe(id);
        expect(jobIdOfToken(token, { ...owner })).toBe(id);
      }),
    );
  });

  it("is another for another token, project, submitter or study", () => {
    const ids = [
      jobIdOfToken("t", owner),
      jobIdOfToken("u", owner),
      jobIdOfToken("t", { ...owner, project: "q" }),
      jobIdOfToken("t", { ...owner, submitter: "bob@a.org" }),
      jobIdOfToken("t", { ...owner, study: "lungs" }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("stays what it is: whoever submits again may have a newer version by then", () => {
    expect(jobIdOfToken("nightly-7", owner)).toBe("9b0862a5-2ce8-8a36-869d-f8d3f651b819");
  });

  it("is none for a token that is empty or too long", () => {
    for (const token of ["", "x".repeat(limits.submitTokenChars + 1)])
      expect(() => jobIdOfToken(token, owner)).toThrow(expect.objectContaining({ code: "runtime/invalid-argument" }));
  });
});
