import type { ServerMessage } from "@flare-ts/contracts/wire";
import type { Identity } from "../session/identity.js";
import type { Attachment } from "./task-watch.js";

/** What a site says of itself when it attaches. */
export interface SiteSelf {
  readonly softwareVersion: string;
  /** Empty for a site that does not tell. */
  readonly nodeVersion: string;
  /** Names this attachment, for commands that are for it; empty for a site that takes none. */
  readonly attachment: string;
  /** `undefined` for a site that does not tell. */
  readonly resources: { readonly gpus: number; readonly memPerGpuGiB: number } | undefined;
  readonly allowsLogStreaming: boolean;
  /** Scopes of its privacy policy; `undefined` for a site that has none. */
  readonly privacy:
    | {
        readonly scopes: readonly string[];
        readonly defaultScope: string | null;
        /** Scopes that let updates out only where they are added without being read, with the least number of sites of a sum. */
        readonly secureMinSites?: Readonly<Record<string, number>>;
      }
    | undefined;
}

/** A site whose control stream is open. */
export interface AttachedSite {
  readonly identity: Identity;
  readonly sessionId: string;
  readonly sinceMs: number;
  /** The relay that it comes by, where there is one; of several in a row the one next to the server. */
  readonly relay: string | undefined;
  readonly hello: SiteSelf;
  /** Largest model that it takes inside a task. */
  readonly inlineBytes: number;
  /** Puts a message on the control stream; a broken stream is noticed by its end, not here. */
  push(message: ServerMessage): void;
}

/** A site that the server has seen since it started. */
export interface KnownSite {
  readonly name: string;
  readonly org: string;
  readonly state: "connected" | "disconnected";
  readonly sinceMs: number;
  /** Why it is disconnected. */
  readonly reason: string;
  /** As of its last attachment. */
  readonly hello: SiteSelf;
  /** As of its last attachment. */
  readonly relay: string | undefined;
  readonly identity: Identity;
}

/** Who is attached. */
export class SiteDirectory {
  readonly #attached = new Map<string, AttachedSite>();
  readonly #known = new Map<string, KnownSite>();
  readonly #now: () => number;

  constructor(components: { readonly now: () => number }) {
    this.#now = components.now;
  }

  add(site: AttachedSite): void {
    const { identity, sinceMs, hello, relay } = site;
    const { name, org } = identity;
    this.#attached.set(name, site);
    this.#known.set(name, { name, org, state: "connected", sinceMs, reason: "", hello, relay, identity });
  }

  /** Forgets a site's stream; a newer stream of the same site stays. Says whether the site is gone now. */
  remove(site: AttachedSite, reason: string): boolean {
    const { identity, hello, relay } = site;
    const { name, org } = identity;
    if (this.#attached.get(name) !== site) return false;
    this.#attached.delete(name);
    this.#known.set(name, { name, org, state: "disconnected", sinceMs: this.#now(), reason, hello, relay, identity });
    return true;
  }

  attachmentOf(name: string): Attachment {
    if (this.#attached.has(name)) return { isAttached: true };
    const { sinceMs = 0, reason = "" } = this.#known.get(name) ?? {};
    return { isAttached: false, sinceMs, reason };
  }

  get(name: string): AttachedSite | undefined {
    return this.#attached.get(name);
  }

  /** Names of the attached sites, sorted. */
  names(): string[] {
    return [...this.#attached.keys()].sort();
  }

  get size(): number {
    return this.#attached.size;
  }

  known(): KnownSite[] {
    return [...this.#known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  push(name: string, message: ServerMessage): void {
    this.#attached.get(name)?.push(message);
  }
}
