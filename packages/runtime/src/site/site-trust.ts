import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { type TrustList, TrustStateSchema } from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import type { AuditLog } from "../logging/audit-log.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { ServerLink } from "./server-link.js";
import type { SiteAgent } from "./site-agent.js";

export interface SiteTrustComponents {
  readonly keeper: TrustKeeper;
  readonly link: Pick<ServerLink, "tell" | "hangUpUntrusted">;
  readonly agent: Pick<SiteAgent, "checkSigners">;
  readonly audit: AuditLog;
  readonly logger: Logger;
}

/** The site's part in revocation: takes trust lists by their own signatures, and applies them to the server and to every job here. */
export class SiteTrust {
  readonly #parts: SiteTrustComponents;
  readonly #taking = new Set<Promise<void>>();

  constructor(components: SiteTrustComponents) {
    this.#parts = components;
  }

  /** Takes a list that the server sends, and answers which one is in force; one that is refused changes nothing. */
  async take(list: TrustList): Promise<void> {
    const taken = this.#take(list).finally(() => this.#taking.delete(taken));
    this.#taking.add(taken);
    await taken;
  }

  /** Resolves when what was taken is written down: it may have ended the connection to a server that is revoked. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#taking);
  }

  async #take({ text }: TrustList): Promise<void> {
    const { keeper, link, agent, audit, logger } = this.#parts;
    try {
      const outcome = keeper.accept(text);
      link.hangUpUntrusted();
      await Promise.all([keeper.save(), agent.checkSigners()]);
      this.#answer("");
      const { number } = keeper.trust;
      logger.info("trust list in force", { number, outcome });
      if (outcome === "accepted") audit.write({ who: "server", action: "update_trust", outcome: "allowed", facts: { number } });
    } catch (reason) {
      const error = FlareError.from(reason);
      logger.error("trust list was not taken", { error: errorField(error) });
      audit.write({ who: "server", action: "update_trust", outcome: "refused", code: error.code, reason: error.message });
      this.#answer(JSON.stringify(error.toJSON()));
    }
  }

  #answer(errorJson: string): void {
    const { keeper, link } = this.#parts;
    link.tell({ case: "trustState", value: create(TrustStateSchema, { number: keeper.trust.number, errorJson }) });
  }
}
