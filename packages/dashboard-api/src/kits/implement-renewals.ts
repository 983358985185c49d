import { createHash, X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import { readRequest } from "@flare-ts/provision/issue";
import type { WaitingRenewal } from "@flare-ts/runtime/admin";
import { approveRenewal, listRenewals, type Renewal } from "../contract/renewals.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { notFound } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { type FrozenProject, readFrozenProject } from "../project/project-store.js";
import { ownName } from "./project-files.js";
import { carryOutRevocations } from "./revocations.js";

/** Requests for next certificates that the project's server keeps for the holder of the CA. */
export function implementRenewals({ db, audit, kits, federation }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  const frozen = async (): Promise<FrozenProject> => {
    if (!parts.isElsewhere) return await readFrozenProject(db);
    throw new FlareError("dashboard/project-elsewhere", "The CA of this federation is not here; `flare cert renewals` signs where it is.");
  };
  const waiting = async (project: FrozenProject): Promise<readonly WaitingRenewal[]> =>
    // The dashboard makes itself another kit in time.
    (await federation.link.admin().listRenewals()).filter(({ name }) => name !== ownName(project));
  return [
    implement(listRenewals, async () => ({ renewals: (await waiting(await frozen())).map(shown) })),
    implement(approveRenewal, async ({ actor, params, body: { publicKeySha256 } }) => {
      const project = await frozen();
      await parts.turns.take(async () => {
        const renewal = (await waiting(project)).find(({ id }) => id === params.id);
        if (renewal === undefined) throw notFound("There is no such request any more; it was signed, or another one came.");
        if (keyDigest(renewal.csrPem) !== publicKeySha256)
          throw new FlareError("dashboard/conflict", `The request of '${renewal.name}' is for another key than the one that was compared.`);
        // Whoever is to be revoked must not get another certificate before that.
        await carryOutRevocations(parts);
        const certificatePem = await parts.workspace.signRenewal({ project: project.name, caKey: parts.passphrase.caKey(), renewal });
        const { serialNumber } = new X509Certificate(certificatePem);
        const facts = { kind: renewal.kind, serial: serialNumber.toLowerCase(), publicKeySha256 };
        await audit.write(db, { actor, action: "renewals.approve", subject: renewal.name, facts });
        await federation.link.admin().completeRenewal(renewal.id, certificatePem);
      });
      return { renewals: (await waiting(project)).map(shown) };
    }),
  ];
}

function shown({ id, kind, name, org, role, csrPem, certificatePem, requestedAtMs }: WaitingRenewal): Renewal {
  const certificateEndsAtMs = new X509Certificate(certificatePem).validToDate.getTime();
  return { id, kind, participant: name, organization: org, role, publicKeySha256: keyDigest(csrPem), certificateEndsAtMs, requestedAtMs };
}

function keyDigest(csrPem: string): string {
  const spki = readRequest(csrPem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("hex");
}
