import { createPrivateKey, X509Certificate } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrustListDocument } from "@flare-ts/contracts";
import { readKit } from "../src/kit/read-kit.js";
import { signTrustList } from "../src/kit/trust-list.js";
import { verifyKit } from "../src/kit/verify-kit.js";
import { signFolder } from "../src/kits/sign-folder.js";
import { errorOf } from "./error-of.js";
import { provisionExample } from "./provision-example.js";
import { temporaryFolder } from "./temporary-folder.js";

/** When the kits of the stage were made. */
export const madeAt = new Date("2026-11-01T12:00:00Z");

const kitNames = { server: "server1.example.org", client: "hospital-a", admin: "admin@example.org" };

type StageKitType = keyof typeof kitNames;

/** A kit that is wrong in one way, and the error that it must lead to. */
export interface WrongKit {
  readonly what: string;
  readonly type: StageKitType;
  readonly spoil: (stage: KitStage) => Promise<unknown>;
  /** @default when the kit was made */
  readonly at?: Date;
  readonly code: string;
  /** Name of the file in startup that the error names. */
  readonly file?: string;
  readonly line?: number;
  readonly message: string;
}

/** What is compared of an error; file and line only where the table names them. */
export interface Refusal {
  readonly code: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly messages: string;
  /** The whole error as it would travel. */
  readonly text: string;
}

/** Kits of two projects that have the same names; those of the first are fresh for each test. */
export class KitStage {
  readonly #kits: string;
  readonly #prodDir: string;
  readonly #stateFile: string;
  readonly #strangersProdDir: string;
  readonly #remove: () => Promise<void>;

  constructor(init: { dir: string; prodDir: string; strangersProdDir: string; remove: () => Promise<void> }) {
    this.#kits = join(init.dir, "kits");
    this.#prodDir = init.prodDir;
    this.#stateFile = join(init.dir, "workspace/example_project/state/cert.json");
    this.#strangersProdDir = init.strangersProdDir;
    this.#remove = init.remove;
  }

  static async build(): Promise<KitStage> {
    const [ours, theirs] = await Promise.all([temporaryFolder(), temporaryFolder()]);
    const options = { now: madeAt };
    const [{ prodDir }, stranger] = await Promise.all([provisionExample(ours.dir, {}, options), provisionExample(theirs.dir, {}, options)]);
    const remove = async (): Promise<void> => {
      await Promise.all([ours.remove(), theirs.remove()]);
    };
    return new KitStage({ dir: ours.dir, prodDir, strangersProdDir: stranger.prodDir, remove });
  }

  async refresh(): Promise<void> {
    await rm(this.#kits, { recursive: true, force: true });
    await cp(this.#prodDir, this.#kits, { recursive: true });
  }

  async remove(): Promise<void> {
    await this.#remove();
  }

  dir(type: StageKitType): string {
    return join(this.#kits, kitNames[type]);
  }

  /** A file in the startup folder of a kit. */
  startup(type: StageKitType, file = ""): string {
    return `${this.dir(type)}/startup/${file}`;
  }

  /** A file in the startup folder of the other project's client. */
  strangersStartup(file: string): string {
    return join(this.#strangersProdDir, kitNames.client, "startup", file);
  }

  async edit(type: StageKitType, file: string, change: (text: string) => string): Promise<void> {
    await writeFile(this.startup(type, file), change(await readFile(this.startup(type, file), "utf8")));
  }

  /** Signs again, as somebody who holds the root key could. */
  async signAgain(type: StageKitType): Promise<void> {
    await rm(this.startup(type, "signature.json"));
    const state = JSON.parse(await readFile(this.#stateFile, "utf8")) as { root_pri_key: string };
    await signFolder(this.startup(type), createPrivateKey(state.root_pri_key));
  }

  /** Puts a trust list of the project into a kit's workspace, as one that came over the wire. */
  async trust(type: StageKitType, change: Partial<TrustListDocument>): Promise<void> {
    const state = JSON.parse(await readFile(this.#stateFile, "utf8")) as { root_cert: string; root_pri_key: string };
    const signer = { certificate: new X509Certificate(state.root_cert), privateKey: createPrivateKey(state.root_pri_key) };
    const common = { project: "example_project", number: 1, issued_at_ms: 0, roots: [state.root_cert], revoked: [] };
    await mkdir(join(this.dir(type), "identity"), { recursive: true });
    await writeFile(join(this.dir(type), "identity/trust.json"), signTrustList({ ...common, ...change }, [signer]));
  }

  async open(type: StageKitType, at: Date = madeAt): Promise<void> {
    await verifyKit(await readKit(this.dir(type)), { now: at });
  }

  /** Spoils a kit, opens it, and answers the error with the part of it that the test's table speaks of. */
  async refusal({ type, spoil, at, file, line }: WrongKit): Promise<Refusal> {
    await spoil(this);
    const error = await errorOf(this.open(type, at));
    const named = error.facts["file"];
    return {
      code: error.code,
      file: file === undefined || typeof named !== "string" ? undefined : named.replace(this.startup(type), ""),
      line: line === undefined ? undefined : error.problems[0]?.line,
      text: JSON.stringify(error),
      messages: `${error.message} ${error.problems.map((problem) => problem.message).join(" ")}`,
    };
  }
}
