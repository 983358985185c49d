import { setTimeout as sleep } from "node:timers/promises";
import { FlareError, type Json } from "@flare-ts/contracts";
import type { MachineResources } from "../operate/machine-resources.js";
import type { LevelWord } from "../operate/operation-arguments.js";
import type { ProcessVerb } from "../operate/operation-verbs.js";
import type { SystemStatus } from "./job-summary.js";
import type {
  EndOptions,
  OperationOptions,
  OperationOutcome,
  OperationTarget,
  ProcessOutcomes,
  SiteAdmission,
  TargetOutcome,
} from "./operation-outcomes.js";
import type { SignedCalls } from "./signed-calls.js";

export interface OperationCommandsComponents {
  readonly calls: Pick<SignedCalls, "execute" | "connect" | "whileOpen">;
  readonly status: (signal: AbortSignal | undefined) => Promise<SystemStatus>;
}

/** How long each step of a command may take, by default. */
const stepMs = 30_000;
const lookMs = 200;

/** Commands about the processes of server and sites, and about who is let in. */
export class OperationCommands {
  readonly #parts: OperationCommandsComponents;

  constructor(components: OperationCommandsComponents) {
    this.#parts = components;
  }

  /** Has processes end: sites first, then the server. @throws FlareError where the server refuses for itself; nothing was done then */
  async end(how: "shutdown" | "restart", target: OperationTarget, options: EndOptions = {}): Promise<readonly OperationOutcome[]> {
    const { timeoutMs = stepMs, isAwaited = true, signal, onOutcome = () => {} } = options;
    const before = await this.#parts.status(signal);
    if (target !== "client") await this.#try(how, timeoutMs, signal);
    const names = namesOf(before, target, options);
    const outcomes: OperationOutcome[] = [];
    const tell = (outcome: OperationOutcome): void => {
      outcomes.push(outcome);
      onOutcome(outcome);
    };
    const atSites = await this.#atSites(how, before, names, { timeoutMs, is_awaited: isAwaited }, signal);
    const restarted: string[] = [];
    for (const [name, answer] of atSites) {
      if (how === "restart" && answer.stage === "gone") restarted.push(name);
      else tell(outcomeOf(name, "client", answer));
    }
    if (target !== "client") tell(await this.#endServer(how, before, { timeoutMs, isAwaited }, signal));
    if (restarted.length > 0) await this.#returned(restarted, before, { timeoutMs, tell }, signal);
    return outcomes;
  }

  async resources(target: OperationTarget, options: OperationOptions): Promise<readonly OperationOutcome<MachineResources>[]> {
    return await this.#ask("report_resources", target, options, {}, (result) => result as unknown as MachineResources);
  }

  async configureLog(level: LevelWord, target: OperationTarget, options: OperationOptions): Promise<readonly OperationOutcome<string>[]> {
    return await this.#ask("configure_site_log", target, options, { level }, (result) => (result as { readonly level: string }).level);
  }

  async disable(site: string, reason: string, signal?: AbortSignal): Promise<SiteAdmission> {
    return admissionOf(await this.#parts.calls.execute("disable_client", { site, ...(reason === "" ? {} : { reason }) }, signal));
  }

  async enable(site: string, signal?: AbortSignal): Promise<SiteAdmission> {
    return admissionOf(await this.#parts.calls.execute("enable_client", { site }, signal));
  }

  async #ask<Result>(
    verb: ProcessVerb,
    target: OperationTarget,
    options: OperationOptions,
    more: Readonly<Record<string, Json>>,
    read: (result: Json) => Result,
  ): Promise<readonly OperationOutcome<Result>[]> {
    const { timeoutMs = stepMs, signal } = options;
    const status = await this.#parts.status(signal);
    const names = namesOf(status, target, options);
    const own = target === "client" ? undefined : await this.#execute(verb, { server: true, timeout_ms: timeoutMs, ...more }, signal);
    const atSites = await this.#atSites(verb, status, names, { timeoutMs, ...more }, signal);
    const outcome = (name: string, kind: "server" | "client", answer: TargetOutcome): OperationOutcome<Result> => {
      const { error } = outcomeOf(name, kind, answer);
      return { name, kind, ...(error === undefined ? { state: "done", result: read(answer.result ?? null) } : { state: "failed", error }) };
    };
    const { server } = own ?? {};
    return [
      ...(server === undefined ? [] : [outcome(status.server.name, "server", server)]),
      ...atSites.map(([name, answer]) => outcome(name, "client", answer)),
    ];
  }

  async #atSites(
    verb: ProcessVerb,
    { sites }: SystemStatus,
    names: readonly string[],
    { timeoutMs, ...more }: { readonly timeoutMs: number } & Readonly<Record<string, Json>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly [string, TargetOutcome])[]> {
    if (names.length === 0) return [];
    const attachmentOf = (name: string): string => sites.find((site) => site.name === name)?.attachment ?? "";
    const wanted = Object.fromEntries(names.map((name) => [name, attachmentOf(name)]));
    const answers = await this.#execute(verb, { sites: wanted, timeout_ms: timeoutMs, ...more }, signal);
    return names.flatMap((name) => {
      const answer = answers.sites[name];
      return answer === undefined ? [] : [[name, answer] as const];
    });
  }

  /** Asks the server whether it would end, before anything is done to its sites. */
  async #try(how: "shutdown" | "restart", timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { server } = await this.#execute(how, { server: true, is_trial: true, timeout_ms: timeoutMs }, signal);
    if (server?.error !== undefined) throw FlareError.fromJSON(server.error);
  }

  async #endServer(
    how: "shutdown" | "restart",
    { server: { name, startedAtMs } }: SystemStatus,
    { timeoutMs, isAwaited }: { readonly timeoutMs: number; readonly isAwaited: boolean },
    signal: AbortSignal | undefined,
  ): Promise<OperationOutcome> {
    const { calls } = this.#parts;
    const { closed } = await calls.whileOpen(signal, () => calls.connect());
    const { server } = await this.#execute(how, { server: true, timeout_ms: timeoutMs }, signal);
    if (server === undefined || server.stage === "failed" || !isAwaited) return outcomeOf(name, "server", server ?? { stage: "accepted" });
    const deadline = AbortSignal.timeout(timeoutMs);
    const isClosed = await Promise.race([closed.then(() => true), until(deadline, signal)]);
    if (!isClosed) return failed(name, "server", silent(name, timeoutMs));
    if (how === "shutdown") return { name, kind: "server", state: "done" };
    const isBack = await this.#look(timeoutMs, signal, (now) => now.server.startedAtMs !== startedAtMs);
    return isBack ? { name, kind: "server", state: "done" } : failed(name, "server", notBack(name, timeoutMs));
  }

  /** Waits until sites have attached anew. */
  async #returned(
    names: readonly string[],
    before: SystemStatus,
    { timeoutMs, tell }: { readonly timeoutMs: number; readonly tell: (outcome: OperationOutcome) => void },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const away = new Set(names);
    const former = new Map(before.sites.map(({ name, attachment = "" }) => [name, attachment]));
    await this.#look(timeoutMs, signal, ({ sites }) => {
      for (const { name, state, attachment } of sites) {
        if (state !== "connected" || attachment === former.get(name) || !away.delete(name)) continue;
        tell({ name, kind: "client", state: "done" });
      }
      return away.size === 0;
    });
    for (const name of away) tell(failed(name, "client", notBack(name, timeoutMs)));
  }

  /** Looks at the federation again and again, through the server's absence, until something is so. */
  async #look(timeoutMs: number, signal: AbortSignal | undefined, isSo: (status: SystemStatus) => boolean): Promise<boolean> {
    const limit = AbortSignal.timeout(timeoutMs);
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    while (!either.aborted) {
      try {
        if (isSo(await this.#parts.status(either))) return true;
      } catch (reason) {
        if (!either.aborted && !FlareError.from(reason).row.isRetryable) throw reason;
      }
      await sleep(lookMs, undefined, { signal: either }).catch(() => undefined);
    }
    if (signal?.aborted === true) throw FlareError.from(signal.reason);
    return false;
  }

  async #execute(verb: ProcessVerb, args: Readonly<Record<string, Json>>, signal: AbortSignal | undefined): Promise<ProcessOutcomes> {
    return (await this.#parts.calls.execute(verb, args, signal)) as unknown as ProcessOutcomes;
  }
}

/** Sites that a command is for, each once. */
function namesOf({ sites }: SystemStatus, target: OperationTarget, options: OperationOptions): readonly string[] {
  if (target === "server") return [];
  return [...new Set(options.sites ?? sites.filter(({ state }) => state === "connected").map(({ name }) => name))];
}

function outcomeOf(name: string, kind: "server" | "client", { stage, error }: TargetOutcome): OperationOutcome {
  if (error !== undefined) return failed(name, kind, FlareError.fromJSON(error));
  return { name, kind, state: stage === "accepted" ? "accepted" : "done" };
}

function failed(name: string, kind: "server" | "client", error: FlareError): OperationOutcome {
  return { name, kind, state: "failed", error };
}

function admissionOf(answer: Json): SiteAdmission {
  const {
    site,
    was_disabled,
    is_known,
    left_jobs = [],
  } = answer as {
    readonly site: string;
    readonly was_disabled: boolean;
    readonly is_known: boolean;
    readonly left_jobs?: readonly string[];
  };
  return { site, wasDisabled: was_disabled, isKnown: is_known, leftJobs: left_jobs };
}

function silent(name: string, timeoutMs: number): FlareError {
  const message = `${name} has said that it will, and has not done so within ${timeoutMs / 1000} s.`;
  return new FlareError("runtime/site-silent", message, { facts: { name, timeoutMs } });
}

function notBack(name: string, timeoutMs: number): FlareError {
  return new FlareError("runtime/not-back", `${name} has ended, and was not back within ${timeoutMs / 1000} s.`, {
    facts: { name, timeoutMs },
  });
}

/** Resolves to `false` when the time is over. @throws the reason of the caller's signal */
function until(limit: AbortSignal, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    limit.addEventListener("abort", () => resolve(false), { once: true });
    signal?.addEventListener("abort", () => reject(FlareError.from(signal.reason)), { once: true });
  });
}
