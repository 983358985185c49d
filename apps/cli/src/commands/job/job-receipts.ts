import { FlareError } from "@flare-ts/contracts";
import type { ReceiptVerdict } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { bytesText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import { parseJobId } from "./parse-job-id.js";

/** What `flare job receipts` is given. */
export interface JobReceiptsOptions extends StudyOptions {
  readonly jobId: string;
}

/**
 * Shows and checks the receipts of a job's rounds.
 *
 * @throws FlareError `job/receipt-invalid` for the first that is not what it should be
 */
export async function jobReceipts(context: CommandContext, options: JobReceiptsOptions): Promise<CommandOutput> {
  const jobId = parseJobId(options.jobId);
  const { receipts, verdicts } = await withAdminInStudy(context, options, (session) => session.receipts(jobId, context.signal));
  const bad = verdicts.find((verdict): verdict is Extract<ReceiptVerdict, { ok: false }> => !verdict.ok);
  if (bad !== undefined) {
    throw new FlareError("job/receipt-invalid", `Receipt ${bad.number} of job ${jobId} does not verify: ${bad.why}.`, {
      facts: { job: jobId, number: bad.number, why: bad.why },
    });
  }
  const good = verdicts.flatMap((verdict) => (verdict.ok ? [verdict.receipt] : []));
  return {
    data: { job_id: jobId, receipts: receipts.map((receipt) => ({ ...receipt })) },
    text:
      good.length === 0
        ? ["No round has closed yet."]
        : [
            ...tableLines(
              [
                { title: "ROUND", align: "right" },
                { title: "CLOSED (UTC)" },
                { title: "UPDATES OF" },
                { title: "MISSING" },
                { title: "BYTES", align: "right" },
                { title: "STRATEGY" },
                { title: "MODEL (SHA-256)" },
              ],
              good.map(({ round, closed_at_ms, contributions, missing, strategy, model }) => [
                String(round),
                new Date(closed_at_ms).toISOString().slice(0, 19).replace("T", " "),
                contributions.map(({ site }) => site).join(", "),
                missing.length === 0 ? "-" : missing.join(", "),
                bytesText(contributions.reduce((sum, { update }) => sum + update.size, 0)),
                strategy,
                model.hash,
              ]),
            ),
            `${good.length} ${good.length === 1 ? "receipt" : "receipts"}: signed by the server, in an unbroken chain.`,
          ],
  };
}
