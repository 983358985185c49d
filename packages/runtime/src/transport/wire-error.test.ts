import { FlareError } from "@flare-ts/contracts";
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
