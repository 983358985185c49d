import { Alert, Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { OpenFrame } from "../../components/open-frame.js";

/** The token of the link that led here; it stands behind `#`, so that no server logs it. */
export function LinkToken({ children }: { readonly children: (token: string) => ReactNode }) {
  const token = window.location.hash.slice(1);
  if (token !== "") return <>{children(token)}</>;
  return (
    <OpenFrame
      title="This link is not whole"
      foot={
        <Anchor component={Link} href="/">
          To the sign-in
        </Anchor>
      }
    >
      <Alert color="orange" variant="light">
        The part behind the sign # is missing. Copy the link once more, with all of it.
      </Alert>
    </OpenFrame>
  );
}
