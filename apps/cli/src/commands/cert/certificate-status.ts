import { resolve } from "node:path";
import { type CertificateStatus, kitCertificateStatus, type ProjectStatus, projectCertificateStatus } from "@flare-ts/provision";
import { readKit } from "@flare-ts/provision/kit";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";

/** What `flare cert status` is given. */
export interface CertificateStatusOptions {
  readonly kit: string | undefined;
  readonly workspace: string;
  readonly project: string | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
const kinds: Readonly<Record<CertificateStatus["kind"], string>> = {
  root: "root",
  "former-root": "former root",
  authority: "authority",
  issuer: "issuing certificate",
  participant: "",
  requested: "by request",
};

/** Says what expires when. */
export async function certificateStatusCommand(context: CommandContext, options: CertificateStatusOptions): Promise<CommandOutput> {
  const now = new Date();
  const status = await readStatus(context, options, now);
  const warnings = status.certificates.flatMap((certificate) => warningOf(certificate, now));
  for (const warning of warnings) context.terminal.err(`${context.terminal.colors.yellow("warning:")} ${warning}`);
  return {
    data: {
      project: status.project,
      trust_list_number: status.trustListNumber,
      certificates: status.certificates.map((one) => ({
        name: one.name,
        kind: one.kind,
        role: one.role,
        serial: one.serial,
        valid_from: one.validFrom?.toISOString() ?? null,
        valid_until: one.validTo.toISOString(),
        condition: one.condition,
      })),
      warnings,
    },
    text: [
      `project ${status.project}, trust list ${status.trustListNumber === 0 ? "none" : status.trustListNumber}`,
      ...tableLines(
        [{ title: "NAME" }, { title: "KIND" }, { title: "GOOD UNTIL" }, { title: "LEFT", align: "right" }, { title: "CONDITION" }],
        status.certificates.map((one) => [
          one.name,
          kinds[one.kind] || one.role,
          dateText(one.validTo),
          leftText(one.validTo.getTime() - now.getTime()),
          one.condition,
        ]),
      ),
    ],
  };
}

async function readStatus(
  context: CommandContext,
  { kit, workspace, project }: CertificateStatusOptions,
  now: Date,
): Promise<ProjectStatus> {
  if (kit !== undefined) return await kitCertificateStatus(await readKit(resolve(context.cwd, kit)), { now });
  return await projectCertificateStatus({ workspace: resolve(context.cwd, workspace), project, now });
}

function warningOf({ name, kind, condition, validTo }: CertificateStatus, now: Date): string[] {
  const what = kind === "participant" || kind === "requested" ? `the certificate of ${name}` : `the ${kinds[kind]} ${name}`;
  if (condition === "ended") return [`${what} ended at ${dateText(validTo)}`];
  if (condition === "not-yet-valid") return [`${what} is not good yet; check this machine's clock`];
  if (condition === "ending") return [`${what} ends in ${leftText(validTo.getTime() - now.getTime())}`];
  return [];
}

/** To the second, as certificates have it. */
function dateText(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function leftText(ms: number): string {
  if (ms <= 0) return "0";
  if (ms >= 2 * dayMs) return `${Math.floor(ms / dayMs)} d`;
  return ms >= 2 * 3_600_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 60_000)} min`;
}
