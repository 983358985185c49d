import type { ServerMessage } from "@flare-ts/contracts/wire";
import { CertificateRenewal } from "../identity/certificate-renewal.js";
import { WireRenewal } from "../identity/wire-renewal.js";
import type { OpenedKit } from "../process/open-kit.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { ServerLink, type ServerLinkComponents } from "./server-link.js";

export interface RenewingLinkComponents extends Pick<OpenedKit, "kit" | "opened" | "keeper" | "logger" | "now"> {
  readonly hello: ServerLinkComponents["hello"];
  /** Hears of everything that is not about this participant's certificate. */
  readonly onMessage: (message: ServerMessage) => void;
  readonly onContact: NonNullable<ServerLinkComponents["onContact"]>;
  readonly random: () => number;
}

/** A participant's way to its server, and the renewal of its certificate, which goes by it. */
export interface RenewingLink {
  readonly link: ServerLink;
  readonly renewal: CertificateRenewal;
  /** Resolves when the participant is attached for the first time; an abort before that ends the link. @throws FlareError as `ServerLink.start` */
  start(signal: AbortSignal | undefined): Promise<void>;
}

/** Makes the link of a site or a relay: a certificate that can be had, or that it should have, is fetched at once. */
export function createRenewingLink(
  components: RenewingLinkComponents,
  { isClearAllowed }: { readonly isClearAllowed: boolean | undefined },
): RenewingLink {
  const { kit, opened, keeper, logger, now, random, hello, onMessage, onContact } = components;
  const wire = new WireRenewal({ ...opened, keeper, now, live: () => link.live }, { target: { ...endpointOf(kit), isClearAllowed } });
  const renewal = new CertificateRenewal({ identity: opened.identity, ask: wire.ask, logger, now, random });
  const link: ServerLink = new ServerLink({
    dial: async (signal) => {
      const connection = await wire.dial(signal);
      if (connection.shouldRenew) renewal.renewNow();
      return connection;
    },
    logger,
    random,
    now,
    stallClock: systemStallClock,
    hello,
    onMessage: (message) => {
      if (message.message.case === "certificateReady") renewal.renewNow();
      else onMessage(message);
    },
    trust: keeper.trust,
    onContact,
  });
  const start = async (signal: AbortSignal | undefined): Promise<void> => {
    const stopEarly = (): void => void link.stop();
    signal?.addEventListener("abort", stopEarly, { once: true });
    await link.start();
    signal?.removeEventListener("abort", stopEarly);
    renewal.start();
  };
  return { link, renewal, start };
}
