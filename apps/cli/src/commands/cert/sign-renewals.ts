import { createHash, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { signRenewal } from "@flare-ts/provision";
import { readRequest } from "@flare-ts/provision/issue";
import type { AdminSession, WaitingRenewal } from "@flare-ts/runtime/admin";
import { withAdmin } from "../../admin-kit/with-admin.js";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";

/** What `flare cert renewals` is given. */
export interface RenewalsOptions extends WorkspaceCaKeyOptions {
  /** Names of the participants whose requests are signed; none only lists what waits. */
  readonly participants: readonly string[];
  readonly workspace: string;
  readonly project: string | undefined;
  readonly startupKit: string | undefined;
}

/**
 * Lists the requests for certificates that wait at the server, and signs those of the participants that are named.
 *
 * @throws FlareError `project/unknown-participant` when a named participant has no request, what `signRenewal` throws, and as every
 * command of an admin.
 */
export async function renewalsCommand(context: CommandContext, options: RenewalsOptions): Promise<CommandOutput> {
  return await withAdmin(context, options, async (session) => {
    const waiting = await session.listRenewals(context.signal);
    const chosen = options.participants.flatMap((name) => requestsOf(waiting, name));
    const signed: string[] = [];
    for (const renewal of chosen) {
      signed.push(await sign(context, options, session, renewal));
      context.terminal.err(`signed: ${renewal.name}`);
    }
    const left = waiting.filter((one) => !chosen.includes(one));
    return {
      data: {
        signed,
        waiting: left.map(({ id, kind, name, org, role, csrPem }) => ({ id, kind, name, org, role, public_key_sha256: keyDigest(csrPem) })),
      },
      text: left.length === 0 ? ["No request waits."] : waitingLines(left),
      hints: left.length === 0 ? [] : ["Next: have each participant confirm its key, then flare cert renewals <participant>…"],
    };
  });
}

async function sign(context: CommandContext, options: RenewalsOptions, session: AdminSession, renewal: WaitingRenewal): Promise<string> {
  const certificatePem = await signRenewal({
    workspace: resolve(context.cwd, options.workspace),
    project: options.project,
    caKey: workspaceCaKey(context, { ...options, makesKits: false }),
    renewal,
  });
  const { name } = await session.completeRenewal(renewal.id, certificatePem, context.signal);
  return name;
}

function requestsOf(waiting: readonly WaitingRenewal[], name: string): readonly WaitingRenewal[] {
  const found = waiting.filter((one) => one.name === name);
  if (found.length > 0) return found;
  throw new FlareError("project/unknown-participant", `No request of '${name}' waits at the server.`, { facts: { name } });
}

function waitingLines(waiting: readonly WaitingRenewal[]): string[] {
  return tableLines(
    [{ title: "NAME" }, { title: "FOR" }, { title: "SINCE" }, { title: "CERTIFICATE ENDS" }, { title: "NEW KEY, SHA-256" }],
    waiting.map((one) => [
      one.name,
      one.kind === "issuer" ? "issuing certificate" : one.role,
      new Date(one.requestedAtMs).toISOString(),
      new X509Certificate(one.certificatePem).validToDate.toISOString(),
      keyDigest(one.csrPem),
    ]),
  );
}

function keyDigest(csrPem: string): string {
  return createHash("sha256")
    .update(readRequest(csrPem).publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}
