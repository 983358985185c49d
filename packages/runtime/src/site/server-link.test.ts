import { FlareError } from "@flare-ts/contracts";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import { expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import type { ServerContact } from "../process/instance-lock.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { ServerLink } from "./server-link.js";

it.each([
  ["auth/already-connected", "refused", "the server does not let this site in"],
  ["auth/renewal-pending", "refused", "the server does not let this site in"],
  ["auth/site-disabled", "refused", "the server does not let this site in"],
  ["transfer/unreachable", "unreachable", "server cannot be reached"],
] as const)("a server that answers %s is said to be one that %s", async (code, state, message) => {
  const lines: string[] = [];
  const logger: Logger = {
    error: (text) => lines.push(`error ${text}`),
    warn: (text) => lines.push(`warn ${text}`),
    info: (text) => lines.push(`info ${text}`),
    debug: () => undefined,
    child: () => logger,
  };
  const contact = Promise.withResolvers<ServerContact>();
  const link = new ServerLink({
    dial: () => Promise.reject(new FlareError(code, "as it is")),
    logger,
    random: () => 0,
    now: () => 0,
    stallClock: systemStallClock,
    hello: () => ({ softwareVersion: "0", jobIds: [], trustNumber: 0 }),
    trust: {} as ProjectTrust,
    onMessage: () => undefined,
    onContact: contact.resolve,
  });
  const started = link.start();
  expect(await contact.promise).toMatchObject({ state, reason: "as it is" });
  await Promise.all([link.stop(), expect(started).rejects.toMatchObject({ code: "internal/aborted" })]);
  expect(lines).toEqual([`warn ${message}`]);
});
