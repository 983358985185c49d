import { access, constants, stat } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";
import {
  type Kit,
  type ProjectTrust,
  readAuthorizationPolicy,
  readCertificates,
  readKit,
  readLocalResources,
  readLogConfig,
  readPrivacyPolicy,
  TrustKeeper,
  verifyKit,
} from "@flare-ts/provision/kit";
import { IdentityFolder, type StoredIdentity } from "../identity/identity-folder.js";
import { openIdentity } from "../identity/open-identity.js";
import { failed, type PreflightCheck, passed, problemOf, warned } from "./preflight-check.js";

const dayMs = 24 * 3_600_000;

/** A kit that could be read, with the certificate and key in force, and whom it trusts. */
export interface CheckedKit {
  readonly kit: Kit;
  readonly trust: ProjectTrust;
}

/** Reads a kit; its files, their signatures and who may read the key are one check, the dates of its certificate another. */
export async function checkKit(
  kitDir: string,
  { workspace, nowMs }: { readonly workspace: string | undefined; readonly nowMs: number },
): Promise<{ readonly read: CheckedKit | undefined; readonly checks: readonly PreflightCheck[] }> {
  let kit: Kit;
  let trust: ProjectTrust;
  const kept = await ifFolder(workspace);
  try {
    kit = await readKit(kitDir);
    ({ trust } = await TrustKeeper.open(kit, { workspace: kept }));
  } catch (error) {
    return { read: undefined, checks: [problemOf("kit", error)] };
  }
  const { identity, refusal } = await identityInForce(kit, { trust, workspace: kept ?? kit.dir, nowMs });
  const read = { kit: { ...kit, ...identity }, trust };
  const dates = checkDates(read.kit, nowMs);
  try {
    await verifyKit(kit, { now: new Date(nowMs), trust, isCertificateJudged: false });
    // What is wrong with the dates alone is said below, with what the clock has to do with it.
    if (refusal !== undefined && (!isAboutDates(refusal.code) || dates.outcome === "ok")) throw refusal;
    return { read, checks: [passed("kit", whoIs(kit), { type: kit.type, name: kit.name, project: kit.project, dir: kit.dir }), dates] };
  } catch (error) {
    return { read, checks: [problemOf("kit", error), dates] };
  }
}

/** The certificate and key that a start would use: the kit's, or those of a renewal. */
async function identityInForce(
  kit: Kit,
  { trust, workspace, nowMs }: { readonly trust: ProjectTrust; readonly workspace: string; readonly nowMs: number },
): Promise<{ readonly identity: StoredIdentity; readonly refusal: FlareError | undefined }> {
  const folder = IdentityFolder.ofKit(kit, workspace);
  try {
    return { identity: await openIdentity({ kit, trust, folder, nowMs, warn: () => undefined }), refusal: undefined };
  } catch (error) {
    const { certificatePem, privateKeyPem } = kit;
    return { identity: { certificatePem, privateKeyPem }, refusal: FlareError.from(error) };
  }
}

/** Reads the settings in `local/` that a start reads. */
export async function checkSettings(kit: Kit): Promise<PreflightCheck> {
  try {
    const [resources] = await Promise.all([
      kit.type === "relay" ? undefined : readLocalResources(kit),
      kit.type === "relay" ? undefined : readAuthorizationPolicy(kit),
      readLogConfig(kit),
      readPrivacyPolicy(kit),
    ]);
    const away = resources?.type === "client" ? await unreadable(resources.datasets) : [];
    if (away.length > 0) {
      return warned(
        "settings",
        `${away.join(", and ")} of local/resources.json cannot be read.`,
        "Correct the path, or let this account read it: a job that asks for the data set fails.",
        { datasets: away },
      );
    }
    const { withoutEffect, misnamed } = kit.local;
    if (misnamed.length > 0) {
      return warned(
        "settings",
        `${misnamed.map(({ file, meant }) => `${file} is read by nobody; did you mean ${meant}`).join("? ")}?`,
        "Give it that name, or move it out of local/: what it says is not in force.",
        { files: misnamed.map(({ file }) => file) },
      );
    }
    if (withoutEffect.length > 0) {
      return warned(
        "settings",
        `${withoutEffect.join(" and ")}: this is FLARE's, and has no effect here.`,
        "Do not rely on it. What a site lets be done stands in its local/authorization.json, what leaves it in its local/privacy.json, where its data is in its local/resources.json.",
        { files: [...withoutEffect] },
      );
    }
    return passed("settings", "The settings in local/ can be read.");
  } catch (error) {
    return problemOf("settings", error);
  }
}

async function unreadable(datasets: Readonly<Record<string, string>>): Promise<string[]> {
  const looks = Object.entries(datasets).map(async ([name, path]) => {
    const isThere = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    return isThere ? [] : [`data set '${name}' at ${path}`];
  });
  return (await Promise.all(looks)).flat();
}

/** A workspace that is not there yet holds no trust list; what else is wrong with it the check of the disk says. */
async function ifFolder(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() === true ? path : undefined;
}

function whoIs({ type, name, org, project }: Kit): string {
  return `Kit of the ${type === "client" ? "site" : type} ${name} (${org}) of project ${project}; every file is as it was signed.`;
}

function isAboutDates(code: string): boolean {
  return code === "kit/expired" || code === "kit/not-yet-valid";
}

function checkDates({ certificatePem, rootCaPem, certificates }: Kit, nowMs: number): PreflightCheck {
  const [leaf] = readCertificates(certificatePem);
  const all = [leaf, ...readCertificates(certificatePem).slice(1), ...readCertificates(rootCaPem)].filter((one) => one !== undefined);
  if (leaf === undefined)
    return failed("certificate", "The kit's certificate cannot be read.", "Ask the project's administrator for a new kit.");
  const fromMs = Math.max(...all.map(({ validFromDate }) => validFromDate.getTime()));
  const toMs = leaf.validToDate.getTime();
  const rootToMs = Math.min(...all.slice(1).map(({ validToDate }) => validToDate.getTime()), toMs);
  const facts = { valid_from: iso(fromMs), valid_to: iso(toMs), now: iso(nowMs) };
  if (nowMs < fromMs) {
    return {
      ...failed(
        "certificate",
        `The certificate is good from ${iso(fromMs)} on, and this machine's clock says ${iso(nowMs)}.`,
        clockTodo,
        facts,
      ),
      code: "kit/not-yet-valid",
    };
  }
  const renews = certificates !== undefined && certificates.renewal !== "none";
  if (nowMs > rootToMs) {
    return {
      ...failed(
        "certificate",
        `The certificate, or one above it, was good until ${iso(rootToMs)}, and this machine's clock says ${iso(nowMs)}.`,
        renews && nowMs - toMs < certificates.renewalGraceMs
          ? "Start the participant: it asks for the next certificate while the grace lasts. If the date above is wrong, set the clock."
          : "Ask the project's administrator for a new kit; if the date above is wrong, set the clock.",
        facts,
      ),
      code: "kit/expired",
    };
  }
  const leftDays = (toMs - nowMs) / dayMs;
  const lifeMs = toMs - leaf.validFromDate.getTime();
  const left = `The certificate is good until ${iso(toMs)}, ${leftDays < 2 ? `${Math.round(leftDays * 24)} hours` : `${Math.floor(leftDays)} days`} from now.`;
  if (!renews && leftDays < 30) {
    return warned(
      "certificate",
      left,
      "Ask the project's administrator for a new kit before that day; this project renews nothing by itself.",
      facts,
    );
  }
  // A running participant renews at two thirds; with less than a quarter left that did not happen.
  if (renews && toMs - nowMs < lifeMs / 4) {
    return warned("certificate", left, "Start the participant: it renews its certificate as soon as it is connected.", facts);
  }
  return passed("certificate", left, facts);
}

const clockTodo = "Set this machine's clock, best by NTP; if it is right, ask the project's administrator about the certificate's dates.";

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
