import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { FlareError, Turns } from "@flare-ts/contracts";
import {
  CertificateReadySchema,
  type RenewReply,
  RenewReplySchema,
  type ServerMessage,
  ServerMessageSchema,
} from "@flare-ts/contracts/wire";
import { createKeyPair, createRequest, privateKeyPem } from "@flare-ts/provision/issue";
import { identityFolderOf, issuerRole, type Kit, readSubject, type TrustKeeper } from "@flare-ts/provision/kit";
import type { WaitingRenewal } from "../admin/waiting-renewal.js";
import type { RenewalOutcome } from "../identity/certificate-renewal.js";
import { GivenCertificates } from "../identity/given-certificates.js";
import { IdentityFolder, type StoredIdentity } from "../identity/identity-folder.js";
import { IssuingAuthority } from "../identity/issuing-authority.js";
import type { OpenedIdentity } from "../identity/open-live-identity.js";
import { PendingRenewals, renewalId } from "../identity/pending-renewals.js";
import { renewIdentity } from "../identity/renew-identity.js";
import { type ProvenRenewal, RenewalDesk } from "../identity/renewal-desk.js";
import type { AuditLog } from "../logging/audit-log.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { Identity } from "../session/identity.js";
import { fingerprintOf, readProjectKeys } from "../session/project-keys.js";
import type { Audience } from "./audience.js";

export interface RenewalServiceComponents extends OpenedIdentity {
  readonly keeper: TrustKeeper;
  /** Whoever is told that a certificate can be had. */
  readonly audience: Audience;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The server's own certificate should be renewed now: it can be had, or from another root. */
  readonly onOwnReady: () => void;
}

interface Desk {
  readonly desk: RenewalDesk;
  readonly authority: IssuingAuthority;
  readonly pending: PendingRenewals;
}

/** The server's part in renewals: gives out certificates, keeps the requests that somebody else must sign, and renews its own. */
export class RenewalService {
  readonly #parts: RenewalServiceComponents;
  readonly #desk: Desk;
  readonly #isIssuing: boolean;
  readonly #mayRenew: readonly string[];
  /** One renewal of the server's own certificate at a time, and one change of its issuing certificate: each has one key under way. */
  readonly #ownTurns = new Turns();
  readonly #issuerTurns = new Turns();

  private constructor(
    components: RenewalServiceComponents,
    desk: Desk,
    init: { readonly isIssuing: boolean; readonly mayRenew: readonly string[] },
  ) {
    this.#parts = components;
    this.#desk = desk;
    this.#isIssuing = init.isIssuing;
    this.#mayRenew = init.mayRenew;
  }

  /** @param init.leafLifetimeMs life of the certificates that are given out @default that of the kit */
  static async open(
    components: RenewalServiceComponents,
    init: { readonly kit: Kit; readonly workspace: string; readonly leafLifetimeMs?: number | undefined },
  ): Promise<RenewalService> {
    const { keeper, now } = components;
    const { kit, workspace } = init;
    const { renewal, serverMayRenew, leafLifetimeMs } = kit.certificates ?? { renewal: "none", serverMayRenew: [], leafLifetimeMs: 0 };
    const identityFolder = identityFolderOf(workspace);
    const authority = await IssuingAuthority.open(
      { trust: keeper.trust, folder: new IdentityFolder({ folder: join(identityFolder, "issuing"), name: "issuing" }), now },
      { fromKit: await readIssuing(kit) },
    );
    const pending = await PendingRenewals.open({ folder: join(identityFolder, "renewals") });
    const given = await GivenCertificates.open({
      file: join(identityFolder, "given.json"),
      keepMs: kit.certificates?.renewalGraceMs ?? 0,
    });
    const desk = new RenewalDesk(
      { trust: keeper.trust, authority, pending, given, now },
      { renewal, serverMayRenew, leafLifetimeMs: init.leafLifetimeMs ?? leafLifetimeMs },
    );
    return new RenewalService(components, { desk, authority, pending }, { isIssuing: renewal === "server", mayRenew: serverMayRenew });
  }

  /** Answers a participant that has proven to own a certificate. @throws FlareError `auth/renewal-…` */
  async renew(proven: ProvenRenewal): Promise<RenewReply> {
    const { keeper, audit } = this.#parts;
    const { commonName: who, role } = proven.subject;
    try {
      const certificate = await this.#desk.desk.renew(proven);
      const facts = { role, old: proven.certificate.serialNumber.toLowerCase(), isPending: certificate === undefined };
      audit.write({ who, action: "renew_certificate", outcome: "allowed", facts });
      const trustList = keeper.trust.trustListText ?? "";
      return create(RenewReplySchema, { certificate: certificate ?? "", isPending: certificate === undefined, trustList });
    } catch (reason) {
      const error = FlareError.from(reason);
      audit.write({ who, action: "renew_certificate", outcome: "refused", code: error.code, reason: error.message });
      throw error;
    }
  }

  /** Whether a participant may take part: its certificate was not traded here for one that a revocation covers. */
  isAllowed({ name, fingerprint }: Pick<Identity, "name" | "fingerprint">): boolean {
    return !this.#desk.desk.isOfRevoked({ name, fingerprint });
  }

  /** Whether a participant that registers should renew soon: another root can stand for its certificate. */
  shouldRenew({ role, chainPem }: Identity): boolean {
    const verdict = this.#parts.keeper.trust.verify(chainPem, { nowMs: this.#parts.now() });
    return verdict.ok && this.#desk.desk.shouldRenew(role, fingerprintOf(verdict.root));
  }

  /** Renews the server's own certificate, by itself where it may. */
  async renewOwn(): Promise<RenewalOutcome> {
    return await this.#ownTurns.take(() => this.#renewOwnOnce());
  }

  /** Requests that wait to be signed, the oldest first. */
  waiting(): readonly WaitingRenewal[] {
    return this.#desk.pending.waiting();
  }

  /**
   * Takes a certificate that somebody signed, and tells whoever waits for it.
   *
   * @throws FlareError `auth/renewal-refused`
   */
  async complete(id: string, certificatePem: string): Promise<WaitingRenewal> {
    const { desk, pending, authority } = this.#desk;
    const renewal = pending.get(id);
    if (renewal?.kind !== "issuer") {
      const completed = await desk.complete(id, certificatePem);
      this.#tell(completed.name);
      return completed;
    }
    await this.#issuerTurns.take(async () => {
      await authority.adopt(certificatePem, await authority.request(noRequest));
      await pending.remove(renewal);
    });
    this.#parts.logger.info("server issues with another certificate", { serial: serialOf(authority) });
    // Its own first: whoever registers again then sees a certificate of the new root.
    await this.#renewOwnForRoot();
    for (const participant of this.#parts.audience.names()) this.#tell(participant);
    return renewal;
  }

  /**
   * Declines a request that waits, and tells its participant, who makes another for another key.
   *
   * @throws FlareError `auth/renewal-refused`
   */
  async decline(id: string): Promise<WaitingRenewal> {
    const declined = await this.#desk.desk.decline(id);
    this.#tell(declined.name);
    return declined;
  }

  /**
   * Makes the request for the next issuing certificate when one is wanted: little is left of the one in force, or the project has
   * another root. To be called now and then, and after each trust list.
   */
  async keepIssuer(): Promise<void> {
    await this.#issuerTurns.take(() => this.#askForIssuer());
  }

  async #renewOwnOnce(): Promise<RenewalOutcome> {
    const { identity, folder, keeper, now } = this.#parts;
    const { trust } = keeper;
    return await renewIdentity({
      identity,
      folder,
      trust,
      now,
      readKeys: (stored) => readProjectKeys(stored, trust),
      ask: async (csrPem) => {
        const { certificatePem: chainPem, certificate } = identity.current;
        const proven = { chainPem, certificate, subject: readSubject(certificate), csrPem };
        return { certificatePem: await this.#desk.desk.renew(proven) };
      },
    });
  }

  async #askForIssuer(): Promise<void> {
    const { keeper, identity, logger, now } = this.#parts;
    const { authority, pending } = this.#desk;
    if (!this.#isIssuing || !authority.isDue) return;
    const { commonName: name, org } = readSubject(identity.certificate);
    const role = issuerRole(this.#mayRenew);
    try {
      const { csrPem } = await authority.request(async () => {
        const keyPair = await createKeyPair(identity.privateKey.asymmetricKeyType === "ec" ? "p256" : "rsa-2048");
        const subject = { commonName: `${keeper.trust.project} issuing`, role };
        return { csrPem: await createRequest({ subject, keyPair }), privateKeyPem: privateKeyPem(keyPair) };
      });
      const id = renewalId(csrPem);
      if (pending.of("issuer", name)?.id === id) return;
      const certificatePem = authority.current?.certificatePem ?? "";
      await pending.put({ id, kind: "issuer", name, org, role, csrPem, certificatePem, requestedAtMs: now() });
      logger.warn("a new issuing certificate is wanted; `flare cert renewals` signs it");
    } catch (error) {
      logger.error("request for an issuing certificate could not be made", { error: errorField(error) });
    }
  }

  async #renewOwnForRoot(): Promise<void> {
    const { identity, now, keeper, logger, onOwnReady } = this.#parts;
    const verdict = keeper.trust.verify(identity.certificatePem, { nowMs: now() });
    if (verdict.ok && !this.#desk.desk.shouldRenew("server", fingerprintOf(verdict.root))) return;
    try {
      await this.renewOwn();
    } catch (error) {
      logger.warn("certificate could not be renewed", { error: errorField(error) });
      onOwnReady();
    }
  }

  #tell(name: string): void {
    const { audience, identity, onOwnReady } = this.#parts;
    if (name === readSubject(identity.certificate).commonName) onOwnReady();
    else audience.push(name, ready());
  }
}

function ready(): ServerMessage {
  return create(ServerMessageSchema, { message: { case: "certificateReady", value: create(CertificateReadySchema) } });
}

function serialOf({ current }: IssuingAuthority): string {
  return current?.certificate.serialNumber.toLowerCase() ?? "";
}

function noRequest(): Promise<never> {
  return Promise.reject(new FlareError("auth/renewal-refused", "The key of the request is not there any more; another request is made."));
}

/** The issuing certificate of a server's kit, where the project lets the server renew. */
async function readIssuing({ startup }: Kit): Promise<StoredIdentity | undefined> {
  try {
    const [certificatePem, privateKey] = await Promise.all([
      readFile(join(startup.dir, "issuing.crt"), "utf8"),
      readFile(join(startup.dir, "issuing.key"), "utf8"),
    ]);
    return { certificatePem, privateKeyPem: privateKey };
  } catch {
    return undefined;
  }
}
