import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { FlareError, type Json, limits } from "@flare-ts/contracts";
import { ServerMessageSchema, type SignedCommand, type SiteCommandAnswer } from "@flare-ts/contracts/wire";
import type { TargetOutcome } from "../admin/operation-outcomes.js";
import { peerError } from "./read-report.js";
import type { AttachedSite } from "./site-directory.js";

/** What is waited for: that the site will do it, that it has, or that it has gone, as a command of that kind ends its process. */
export type AwaitedStage = "accepted" | "done" | "gone";

/** How far a site got with a command. */
export type SiteAnswer = Exclude<TargetOutcome, { readonly stage: "failed" }>;

interface WaitingCommand {
  readonly site: AttachedSite;
  readonly until: AwaitedStage;
  readonly settle: (answer: SiteAnswer | FlareError) => void;
  isAccepted: boolean;
}

/** Passes commands of admins on to attached sites, and hears what became of them there. */
export class SiteCommands {
  readonly #waiting = new Map<string, WaitingCommand>();

  /**
   * Has a site carry out a command that its server lets pass.
   *
   * @throws FlareError what the site refuses, `runtime/site-silent`, `runtime/site-away`
   */
  async send(
    site: AttachedSite,
    command: SignedCommand,
    { until, timeoutMs }: { readonly until: AwaitedStage; readonly timeoutMs: number },
  ): Promise<SiteAnswer> {
    const id = randomUUID();
    const answered = Promise.withResolvers<SiteAnswer | FlareError>();
    const waiting: WaitingCommand = { site, until, settle: answered.resolve, isAccepted: false };
    this.#waiting.set(id, waiting);
    const timer = setTimeout(() => answered.resolve(silent(waiting, timeoutMs)), timeoutMs);
    site.push(create(ServerMessageSchema, { message: { case: "command", value: { id, command } } }));
    try {
      const answer = await answered.promise;
      if (answer instanceof FlareError) throw answer;
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** A site says how far it is. */
  hear(name: string, { id, stage, resultJson, errorJson }: SiteCommandAnswer): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.site.identity.name !== name) return;
    if (stage === "refused") waiting.settle(FlareError.fromJSON(peerError(errorJson)));
    else if (stage === "done" && waiting.until !== "gone") waiting.settle({ stage, result: readResult(resultJson) });
    else if (stage === "accepted") {
      waiting.isAccepted = true;
      if (waiting.until === "accepted") waiting.settle({ stage });
    }
  }

  /** The control stream of a site is over. */
  gone(site: AttachedSite): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.site !== site) continue;
      if (waiting.until === "gone" && waiting.isAccepted) waiting.settle({ stage: "gone" });
      else waiting.settle(cut(site.identity.name));
    }
  }
}

function silent({ site: { identity }, isAccepted }: WaitingCommand, timeoutMs: number): FlareError {
  const { name } = identity;
  const what = isAccepted ? "has said that it will, and has not done so" : "has not answered";
  return new FlareError("runtime/site-silent", `${name} ${what} within ${timeoutMs / 1000} s.`, { facts: { site: name, timeoutMs } });
}

function cut(site: string): FlareError {
  return new FlareError("runtime/site-away", `The connection of ${site} broke before it said what became of the command.`, {
    facts: { site },
  });
}

/** What a site says is capped, and need not be JSON. */
function readResult(json: string): Json {
  if (json.length > limits.reportChars) return null;
  try {
    return JSON.parse(json) as Json;
  } catch {
    return null;
  }
}
