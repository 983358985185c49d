import { getSession, type Profile, signOut } from "@flare-ts/dashboard-api/contract";
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";
import { useApiQuery } from "../../api/use-api-query.js";
import { Fact, Facts } from "../../components/facts.js";
import { OpenFrame } from "../../components/open-frame.js";
import { StatusPill } from "../../components/status-pill.js";
import { roleTitle } from "../people/role-titles.js";

/** How often it is asked whether somebody was let in. */
const lookEveryMs = 10_000;

/** What people see until the project admin has let them in, or after they were turned away. */
export function WaitingPage({ person }: { readonly person: Profile }) {
  const isWaiting = person.state === "pending";
  const session = useApiQuery(getSession, {}, isWaiting ? { everyMs: lookEveryMs } : {});
  const leave = useApiMutation(signOut, { changes: [getSession] });
  const [isLooking, setLooking] = useState(false);
  const look = async (): Promise<void> => {
    setLooking(true);
    await session.refetch();
    setLooking(false);
  };
  return (
    <OpenFrame
      title={isWaiting ? "Almost there" : "No access"}
      about={
        isWaiting
          ? "Your account waits for the approval of the project admin. This page opens the dashboard once that is done."
          : "The project admin has closed this account. Ask them if you think that is a mistake."
      }
    >
      <Facts>
        <Fact name="Name">{person.name}</Fact>
        <Fact name="E-mail address">{person.email}</Fact>
        <Fact name="Organisation">{person.organization}</Fact>
        <Fact name="Role">{roleTitle(person.role)}</Fact>
        <Fact name="State">
          <StatusPill tone={isWaiting ? "warn" : "bad"}>{isWaiting ? "waits for approval" : person.state}</StatusPill>
        </Fact>
      </Facts>
      <Group mt="lg" gap="xs" grow>
        <Button variant="default" onClick={() => leave.mutate({})}>
          Sign out
        </Button>
        {isWaiting && (
          <Button loading={isLooking} onClick={() => void look()}>
            Look again
          </Button>
        )}
      </Group>
    </OpenFrame>
  );
}
