import { type ContentHash, FlareError } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { dialServer } from "./dial-server.js";
import { startTestServer } from "./test-server.test-support.js";
import { fromWireStatus, toWireStatus } from "./wire-error.js";

const longTexts = ["😀".repeat(300), `x${"😀".repeat(300)}`];

describe("the status of a failed call", () => {
  it("can be sent wherever its text is cut, and whatever a peer had written in it", () => {
    for (const message of [...longTexts, "\ud800", "a\udc00b"]) {
      const status = toWireStatus(new FlareError("transfer/protocol", message));
      expect(() => encodeURI(status.details)).not.toThrow();
      expect(fromWireStatus(Object.assign(new Error(status.details), status), "a server").code).toBe("transfer/protocol");
    }
  });

  it("has room for the error, however long the keys are that somebody wrote", async () => {
    const problems = Array.from({ length: 12 }, (_, at) => ({ path: "k".repeat(4_000 * (at + 1)), message: "unknown key" }));
    const error = new FlareError("job/invalid", "The job cannot be run.", { problems });
    const server = await startTestServer({ stat: () => Promise.reject(error) });
    try {
      const connection = await dialServer(server.dialInit("site-1"));
      const answer = connection.stat({ hash: "ab".repeat(32) as ContentHash, size: 1 });
      await expect(answer).rejects.toMatchObject({ code: "job/invalid", problems: problems.slice(0, 2) });
      connection.close();
    } finally {
      await server.stop();
    }
  });

  it("reaches a stranger whose names are cut in the middle of a character", async () => {
    const server = await startTestServer({}, { way: "clear" });
    try {
      for (const project of longTexts)
        await expect(dialServer({ ...server.dialInit("site-1"), project })).rejects.toMatchObject({ code: "auth/wrong-project" });
    } finally {
      await server.stop();
    }
  });
});
