import { once } from "node:events";
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import { settlesWithin } from "../process/deadline.js";
import { TestProject } from "../session/test-project.test-support.js";
import { RelayListener } from "./relay-listener.js";

it("a relay stops at once although somebody has connected and says nothing", async () => {
  const project = new TestProject("relays");
  const keys = project.issue({ name: "relay-1", role: "relay" });
  const listener = new RelayListener(
    {
      upstream: { open: () => Promise.reject(new Error("nobody gets this far")) },
      keys: () => keys,
      trust: keys.trust,
      logger: lineLogger(undefined),
      onRefused: () => undefined,
      now: Date.now,
    },
    { host: "127.0.0.1", port: 0, connectionSecurity: "mtls", isClearAllowed: false, renewalGraceMs: 0 },
  );
  const stranger = connect(await listener.start(), "127.0.0.1");
  onTestFinished(() => void stranger.destroy());
  await once(stranger, "connect");
  const stopped = listener.stop();
  expect(await settlesWithin(stopped, 2_000)).toBe(true);
});
