import { approveRenewal, listRenewals, type Project, type Renewal } from "@flare-ts/dashboard-api/contract";
import { Text } from "@mantine/core";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { DataTable } from "../../components/data-table.js";
import { formatDay } from "../../components/format.js";
import { Moment } from "../../components/moment.js";
import { Section } from "../../components/section.js";

/** Requests for next certificates that wait for the holder of the CA; nothing while none waits, or the server is away. */
export function RenewalsSection({ project }: { readonly project: Project }) {
  const waiting = useApiQuery(listRenewals, {}, { isEnabled: project.state === "frozen" && !project.isElsewhere });
  const renewals = waiting.data?.renewals ?? [];
  if (renewals.length === 0) return null;
  return (
    <Section
      title="Renewals that wait for you"
      about="Ask each participant for the SHA-256 of the new key over another way before you sign."
      isFlush
    >
      <DataTable
        label="Renewals"
        rows={renewals}
        keyOf={({ id }) => id}
        columns={[
          {
            title: "Participant",
            cell: ({ participant, kind, role, organization }) => (
              <>
                <Text size="sm" fw={550}>
                  {participant}
                </Text>
                <Text size="xs" c="dimmed">
                  {kind === "issuer" ? "issuing certificate" : role}, {organization}
                </Text>
              </>
            ),
          },
          { title: "Asked", cell: ({ requestedAtMs }) => <Moment atMs={requestedAtMs} /> },
          { title: "Good until", cell: ({ certificateEndsAtMs }) => formatDay(certificateEndsAtMs) },
          {
            title: "New key (SHA-256)",
            cell: ({ publicKeySha256 }) => (
              <Text size="xs" className="mono" style={{ overflowWrap: "anywhere" }}>
                {publicKeySha256}
              </Text>
            ),
          },
          {
            title: "Actions",
            isRight: true,
            isTitleHidden: true,
            cell: (renewal) => <Sign renewal={renewal} isUnlocked={project.authority?.isUnlocked === true} />,
          },
        ]}
      />
    </Section>
  );
}

function Sign({ renewal, isUnlocked }: { readonly renewal: Renewal; readonly isUnlocked: boolean }) {
  const { id, participant, publicKeySha256 } = renewal;
  const sign = useApiMutation(approveRenewal, { changes: [listRenewals], done: `${participant} has its next certificate` });
  return (
    <ConfirmButton
      disabled={!isUnlocked}
      loading={sign.isPending}
      question={`Sign for ${participant}?`}
      consequence={`${participant} gets a certificate for the key ${publicKeySha256.slice(0, 16)}…`}
      verb="Sign"
      onConfirm={() => sign.mutate({ params: { id }, body: { publicKeySha256 } })}
    >
      Sign
    </ConfirmButton>
  );
}
