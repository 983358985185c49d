import type { Session } from "@flare-ts/dashboard-api/contract";
import { Center, Loader } from "@mantine/core";
import { Route, Switch } from "wouter";
import { LeaveProvider, useKeptPerson } from "../api/use-kept-person.js";
import { useSession } from "../api/use-session.js";
import { ErrorPanel } from "../components/error-panel.js";
import { OpenFrame } from "../components/open-frame.js";
import { KitLinkPage } from "./kits/kit-link-page.js";
import { LinkToken } from "./open/link-token.js";
import { NewPasswordPage } from "./open/new-password-page.js";
import { ResetRequestPage } from "./open/reset-request-page.js";
import { SecondFactorPage } from "./open/second-factor-page.js";
import { SetUpPage } from "./open/set-up-page.js";
import { SignInPage } from "./open/sign-in-page.js";
import { SignUpPage } from "./open/sign-up-page.js";
import { WaitingPage } from "./open/waiting-page.js";
import { SessionCover } from "./session-cover.js";
import { SignedInPages } from "./signed-in-pages.js";

/** Which page is shown: by the session first, then by the address. */
export function Pages() {
  const session = useSession();
  const kept = useKeptPerson(session.data);
  if (session.data === undefined) {
    if (session.error === null) return <Waiting />;
    return (
      <OpenFrame title="FLARE-TS dashboard">
        <ErrorPanel error={session.error} onRetry={() => void session.refetch()} />
      </OpenFrame>
    );
  }
  const { person, providers, hasMail } = session.data;
  return (
    <Switch>
      <Route path="/set-up">
        <LinkToken>{(token) => <SetUpPage token={token} />}</LinkToken>
      </Route>
      <Route path="/sign-up">
        <LinkToken>{(token) => <SignUpPage token={token} providers={providers} />}</LinkToken>
      </Route>
      <Route path="/reset-password">
        <LinkToken>{(token) => <NewPasswordPage token={token} />}</LinkToken>
      </Route>
      <Route path="/kit-link">
        <LinkToken>{(token) => <KitLinkPage token={token} />}</LinkToken>
      </Route>
      <Route path="/reset">
        <ResetRequestPage hasMail={hasMail} />
      </Route>
      <Route>
        {person !== null && person.state !== "approved" ? (
          <WaitingPage person={person} />
        ) : kept.person === null ? (
          <Entry session={session.data} isBack={false} />
        ) : (
          <LeaveProvider value={kept.leave}>
            <div hidden={person === null}>
              <SignedInPages key={`${kept.person.id} ${kept.person.role}`} person={kept.person} />
            </div>
            {person === null && (
              <SessionCover>
                <Entry session={session.data} isBack />
              </SessionCover>
            )}
          </LeaveProvider>
        )}
      </Route>
    </Switch>
  );
}

/** The way in, also for somebody whose session has ended. */
function Entry({ session, isBack }: { readonly session: Session; readonly isBack: boolean }) {
  return session.state === "second-factor" ? <SecondFactorPage /> : <SignInPage session={session} isBack={isBack} />;
}

function Waiting() {
  return (
    <Center h="100dvh">
      <Loader type="dots" aria-label="Loading" />
    </Center>
  );
}
