import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { type ServerMessage, type SignedCommand, type SiteCommandAnswer, SiteCommandAnswerSchema } from "@flare-ts/contracts/wire";
import { beforeEach, expect, it } from "vitest";
import { type AwaitedStage, SiteCommands } from "./site-commands.js";
import type { AttachedSite } from "./site-directory.js";

let commands: SiteCommands;
let pushed: ServerMessage[];
let site: AttachedSite;

beforeEach(() => {
  commands = new SiteCommands();
  pushed = [];
  site = { identity: { name: "site-1" }, push: (message: ServerMessage) => pushed.push(message) } as unknown as AttachedSite;
});

function send(until: AwaitedStage, timeoutMs = 20_000): Promise<unknown> {
  return commands.send(site, {} as SignedCommand, { until, timeoutMs }).catch((reason: unknown) => FlareError.from(reason).code);
}
function say(answer: Partial<Pick<SiteCommandAnswer, "stage" | "resultJson" | "errorJson">>, name = "site-1"): void {
  const message = pushed.at(-1)?.message;
  const id = message?.case === "command" ? message.value.id : "";
  commands.hear(name, create(SiteCommandAnswerSchema, { id, ...answer }));
}

it("gives what a site has done, and takes no JSON for nothing", async () => {
  const told = send("done");
  say({ stage: "accepted" });
  say({ stage: "done", resultJson: '{"cpus":2}' });
  expect(await told).toEqual({ stage: "done", result: { cpus: 2 } });
  const broken = send("done");
  say({ stage: "done", resultJson: "{" });
  expect(await broken).toEqual({ stage: "done", result: null });
});

it("a site that was to end has ended when its stream is over, and not when it says so", async () => {
  const told = send("gone");
  say({ stage: "accepted" });
  say({ stage: "done" });
  commands.gone({ ...site });
  expect(await Promise.race([told, Promise.resolve("waits")])).toBe("waits");
  commands.gone(site);
  expect(await told).toEqual({ stage: "gone" });
});

it("a stream that is over before the site has accepted anything is no end that was ordered", async () => {
  const told = send("gone");
  commands.gone(site);
  expect(await told).toBe("runtime/site-away");
});

it("says what a site refuses, that it is silent, and hears nobody in its place", async () => {
  const refused = send("done");
  say({ stage: "refused", errorJson: '{"code":"auth/not-authorized","message":"no"}' });
  expect(await refused).toBe("auth/not-authorized");
  const silent = send("done", 30);
  say({ stage: "done" }, "site-2");
  expect(await silent).toBe("runtime/site-silent");
});
