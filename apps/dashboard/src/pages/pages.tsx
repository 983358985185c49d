import { Center, Loader } from "@mantine/core";
import { Route, Switch } from "wouter";
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
import { SignedInPages } from "./signed-in-pages.js";

/** Which page is shown: by the session first, then by the address. */
export function Pages() {
  const session = useSession();
  if (session.data === undefined) {
    if (session.error === null) return <Waiting />;
    return (
      <OpenFrame title="FLARE-TS dashboard">
        <ErrorPanel error={session.error} onRetry={() => void session.refetch()} />
      </OpenFrame>
    );
  }
  const { state, person, providers, hasMail } = session.data;
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
        {state === "second-factor" ? (
          <SecondFactorPage />
        ) : person === null ? (
          <SignInPage session={session.data} />
        ) : person.state !== "approved" ? (
          <WaitingPage person={person} />
        ) : (
          <SignedInPages key={`${person.id} ${person.role}`} person={person} />
        )}
      </Route>
    </Switch>
  );
}

function Waiting() {
  return (
    <Center h="100dvh">
      <Loader type="dots" aria-label="Loading" />
    </Center>
  );
}
