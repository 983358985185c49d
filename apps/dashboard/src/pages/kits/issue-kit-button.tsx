import { getProject, type IssuedKit, issueMyKit, issueServerKit, issueSiteKit, listKits } from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { ConfirmButton } from "../../components/confirm-button.js";
import { kitChanges } from "./kit-actions.js";
import { type NewKit, NewKitDialog } from "./new-kit-dialog.js";

export interface IssueKitButtonProps {
  /** For whom: a site by its id, the server, or oneself. */
  readonly of: { readonly site: string } | "server" | "me";
  /** The kit that is there; issuing again revokes it. */
  readonly earlier: IssuedKit | null;
  readonly isSecondary?: boolean;
}

/** Issues a kit with a key that the dashboard makes, and shows its passphrase once. */
export function IssueKitButton({ of, earlier, isSecondary = false }: IssueKitButtonProps) {
  const [made, setMade] = useState<NewKit | null>(null);
  const project = useApiQuery(getProject, {});
  const kits = useApiQuery(listKits, {});
  const options = { changes: kitChanges, onDone: setMade };
  const issueSite = useApiMutation(issueSiteKit, options);
  const issueServer = useApiMutation(issueServerKit, options);
  const issueMine = useApiMutation(issueMyKit, options);
  const issue = (): void => {
    if (of === "server") issueServer.mutate({});
    else if (of === "me") issueMine.mutate({});
    else issueSite.mutate({ params: { id: of.site } });
  };
  const isReady = project.data?.authority?.isUnlocked === true;
  const isPending = issueSite.isPending || issueServer.isPending || issueMine.isPending;
  const isGood = earlier !== null && (earlier.condition === "good" || earlier.condition === "ending");
  return (
    <>
      {isGood ? (
        <ConfirmButton
          disabled={!isReady}
          loading={isPending}
          question="Issue it again?"
          consequence="The earlier kit is revoked at once: whoever uses it is cut off until they have the new one."
          verb="Issue again"
          onConfirm={issue}
        >
          Issue again
        </ConfirmButton>
      ) : (
        <Button
          variant={isSecondary ? "default" : "filled"}
          leftSection={<IconKey size={16} />}
          disabled={!isReady}
          loading={isPending}
          title={isReady ? undefined : "The project has to be frozen and its CA unlocked"}
          onClick={issue}
        >
          Issue kit
        </Button>
      )}
      <NewKitDialog made={made} kit={kits.data?.kits.find(({ id }) => id === made?.kit.id)} onClose={() => setMade(null)} />
    </>
  );
}
