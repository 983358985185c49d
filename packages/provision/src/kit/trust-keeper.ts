import { join } from "node:path";
import { FlareError, Turns } from "@flare-ts/contracts";
import { identityFolderOf } from "./identity-layout.js";
import type { Kit } from "./kit.js";
import { parseJson } from "./parse-json.js";
import { readTextIfPresent } from "./read-if-present.js";
import { ProjectTrust } from "./trust.js";
import { writeDurably } from "./write-durably.js";

export interface OpenTrustKeeperOptions {
  /** Folder in which the participant keeps what it learns. @default the kit */
  readonly workspace?: string | undefined;
}

/**
 * A participant's trust from one start to the next: the roots of its kit, `startup/trust.json` where the kit was made after a first
 * revocation, and `identity/trust.json` in its workspace, which holds the list in force.
 */
export class TrustKeeper {
  readonly trust: ProjectTrust;
  readonly #base: () => ProjectTrust;
  readonly #folder: string;
  /** Lists that lead from the kit's roots to one of those that signed the list in force; none as long as the kit's roots do. */
  #steps: readonly string[];
  #saved: string | undefined;
  readonly #turns = new Turns();
  readonly #followers = new Set<() => void>();

  private constructor(init: {
    readonly trust: ProjectTrust;
    readonly base: () => ProjectTrust;
    readonly folder: string;
    readonly steps: readonly string[];
    readonly saved: string | undefined;
  }) {
    this.trust = init.trust;
    this.#base = init.base;
    this.#folder = init.folder;
    this.#steps = init.steps;
    this.#saved = init.saved;
  }

  /**
   * Reads what a kit and its workspace say. A list that is there and is not good is an error: going on without it would let those
   * in again whom it revokes.
   *
   * @throws FlareError `kit/certificate-unreadable`, `kit/untrusted-certificate`, and `trust/…` with the file
   */
  static async open(
    kit: Pick<Kit, "dir" | "project" | "rootCaPem" | "startup">,
    { workspace = kit.dir }: OpenTrustKeeperOptions = {},
  ): Promise<TrustKeeper> {
    const folder = identityFolderOf(workspace);
    const startupFile = join(kit.startup.dir, listFile);
    const [provisioned, kept, steps] = await Promise.all([
      readTextIfPresent(startupFile),
      readTextIfPresent(join(folder, listFile)),
      readTextIfPresent(join(folder, stepsFile)),
    ]);
    const base = (): ProjectTrust => {
      const trust = rootsOf(kit);
      if (provisioned !== undefined) acceptFrom(trust, provisioned, startupFile);
      return trust;
    };
    const trust = base();
    // Steps that lead nowhere are passed over: what counts is whether the list that is kept can be verified.
    const stepTexts = (steps === undefined ? [] : readSteps(steps)).filter((step) => leadsTo(trust, [step]));
    if (kept !== undefined) acceptFrom(trust, kept, join(folder, listFile));
    return new TrustKeeper({ trust, base, folder, steps: stepTexts, saved: trust.trustListText });
  }

  /**
   * Puts a list into force, at once and for this process; `save` makes it last.
   *
   * @throws FlareError as `ProjectTrust.accept`; then nothing has changed
   */
  accept(trustListText: string): "accepted" | "known" {
    const before = this.trust.trustListText;
    const outcome = this.trust.accept(trustListText);
    if (outcome === "known") return outcome;
    this.#steps = this.#stepsTo(trustListText, before);
    for (const follower of this.#followers) follower();
    return outcome;
  }

  /** Calls back after each list that came into force; for what holds copies, such as a TLS context. The result ends that. */
  follow(onAccepted: () => void): () => void {
    this.#followers.add(onAccepted);
    return () => void this.#followers.delete(onAccepted);
  }

  /** Makes the list in force last; does nothing when it does already. */
  async save(): Promise<void> {
    await this.#turns.take(async () => await this.#save());
  }

  async #save(): Promise<void> {
    const text = this.trust.trustListText;
    if (text === undefined || text === this.#saved) return;
    // Steps first: a step too many does no harm, one that is missing would keep the participant from starting.
    if (this.#steps.length > 0) await writeDurably(join(this.#folder, stepsFile), JSON.stringify(this.#steps));
    await writeDurably(join(this.#folder, listFile), text);
    this.#saved = text;
  }

  #stepsTo(trustListText: string, before: string | undefined): readonly string[] {
    const ways = [[], this.#steps, [...this.#steps, ...(before === undefined ? [] : [before])]];
    return ways.find((steps) => leadsTo(this.#base(), [...steps, trustListText])) ?? this.#steps;
  }
}

/** Folder, in a participant's workspace, of what replaces parts of its kit. */
const listFile = "trust.json";
const stepsFile = "trust-steps.json";

function rootsOf({ project, rootCaPem, startup }: Pick<Kit, "project" | "rootCaPem" | "startup">): ProjectTrust {
  try {
    return ProjectTrust.from({ project, rootCaPem });
  } catch (cause) {
    const facts = { file: startup.rootCa };
    if (!rootCaPem.includes("-----BEGIN CERTIFICATE-----"))
      throw new FlareError("kit/certificate-unreadable", `${startup.rootCa} is not a certificate.`, { cause, facts });
    throw new FlareError("kit/untrusted-certificate", `${startup.rootCa} is not a root certificate that can be used.`, { cause, facts });
  }
}

function acceptFrom(trust: ProjectTrust, text: string, file: string): void {
  try {
    trust.accept(text);
  } catch (reason) {
    const error = FlareError.from(reason);
    // A kit that was made after the list that is kept brings a newer one, and maybe newer roots.
    if (error.code === "trust/outdated" || (error.code === "trust/signature-invalid" && claimedNumber(text) <= trust.number)) return;
    throw new FlareError(error.code, `${file}: ${error.message}`, { facts: { ...error.facts, file }, cause: error });
  }
}

function leadsTo(trust: ProjectTrust, texts: readonly string[]): boolean {
  try {
    for (const text of texts) trust.accept(text);
    return true;
  } catch {
    return false;
  }
}

/** What a list says its number is; only good for passing over one that would be too old in any case. */
function claimedNumber(text: string): number {
  const { document } = (parseJson(text) ?? {}) as { document?: unknown };
  const { number } = (parseJson(Buffer.from(String(document), "base64").toString("utf8")) ?? {}) as { number?: unknown };
  return typeof number === "number" ? number : Number.POSITIVE_INFINITY;
}

function readSteps(text: string): readonly string[] {
  const steps = parseJson(text);
  return Array.isArray(steps) ? steps.filter((step) => typeof step === "string") : [];
}
