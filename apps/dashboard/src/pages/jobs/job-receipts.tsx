import { type JobRoundReceipt, listJobReceipts } from "@flare-ts/dashboard-api/contract";
import { Alert } from "@mantine/core";
import { IconReceipt } from "@tabler/icons-react";
import { useApiQuery } from "../../api/use-api-query.js";
import { DataTable } from "../../components/data-table.js";
import { EmptyState } from "../../components/empty-state.js";
import { formatBytes, formatMoment } from "../../components/format.js";
import { Loaded } from "../../components/loaded.js";
import { Section } from "../../components/section.js";
import { type RoundView, roundTitle } from "../../jobs/round-view.js";

/** How often receipts of a job that runs are asked for: all of them are checked each time. */
const whileRunningMs = 15_000;

export interface JobReceiptsProps {
  readonly jobId: string;
  /** Those that the journal has, by which receipts are named. */
  readonly rounds: readonly RoundView[];
  readonly isRunning: boolean;
}

/** What the server stands for in each round, and whether its signatures and their chain are good. */
export function JobReceipts({ jobId, rounds, isRunning }: JobReceiptsProps) {
  const receipts = useApiQuery(listJobReceipts, { params: { id: jobId } }, { everyMs: isRunning ? whileRunningMs : undefined });
  return (
    <Section title="Receipts" about="Signed by the server, each chained to the one before: nothing can be changed or left out later.">
      <Loaded query={receipts}>
        {({ receipts: all }) =>
          all.length === 0 ? (
            <EmptyState icon={<IconReceipt size={24} />} title="No receipt yet">
              {isRunning ? "The first one comes when the first round has closed." : "This job did not close a round."}
            </EmptyState>
          ) : (
            <ReceiptTable all={all} rounds={rounds} />
          )
        }
      </Loaded>
    </Section>
  );
}

function ReceiptTable({ all, rounds }: { readonly all: readonly JobRoundReceipt[]; readonly rounds: readonly RoundView[] }) {
  const known = new Map(rounds.map((one) => [one.round, one]));
  const bad = all.find(({ isGood }) => !isGood);
  const good = all.flatMap(({ receipt }) => (receipt === null ? [] : [receipt])).toReversed();
  return (
    <>
      {bad !== undefined && (
        <Alert color="red" variant="light" title={`Receipt ${bad.number} does not verify`} mb="md">
          {bad.why}. Do not rely on the rounds from this one on, and ask the project’s administrator what happened at the server.
        </Alert>
      )}
      <DataTable
        label="Receipts of the rounds, the newest first"
        rows={good}
        keyOf={({ round }) => String(round)}
        columns={[
          { title: "Round", cell: ({ round }) => roundTitle(known.get(round) ?? { number: round + 1, workflow: "" }), isOneLine: true },
          { title: "Closed", cell: ({ closedAtMs }) => formatMoment(closedAtMs), isOneLine: true },
          { title: "Updates of", cell: ({ contributions }) => contributions.map(({ site }) => site).join(", ") },
          { title: "Missing", cell: ({ missing }) => (missing.length === 0 ? "–" : missing.join(", ")) },
          {
            title: "Bytes",
            cell: ({ contributions }) => formatBytes(contributions.reduce((sum, { update }) => sum + update.size, 0)),
            isRight: true,
          },
          { title: "Strategy", cell: ({ strategy }) => strategy },
          {
            title: "Model (SHA-256)",
            cell: ({ model }) => (
              <span className="mono" title={model.hash}>
                {model.hash.slice(0, 12)}…
              </span>
            ),
          },
        ]}
      />
    </>
  );
}
