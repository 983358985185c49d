import { tokenSchema } from "@flare-ts/dashboard-api/contract";
import { Alert, Anchor } from "@mantine/core";
import { Fragment, type ReactNode, useSyncExternalStore } from "react";
import { Link } from "wouter";
import { OpenFrame } from "../../components/open-frame.js";

/** The token of the link that led here; it stands behind `#`, so that no server logs it. Another link at the same place begins anew. */
export function LinkToken({ children }: { readonly children: (token: string) => ReactNode }) {
  const token = useSyncExternalStore(followHash, tokenNow);
  if (tokenSchema.safeParse(token).success) return <Fragment key={token}>{children(token)}</Fragment>;
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
        What stands behind the sign # is missing, or not all of it. Copy the link once more, with all of it.
      </Alert>
    </OpenFrame>
  );
}

/** A browser loads no page anew where only what stands behind `#` is another. */
function followHash(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

function tokenNow(): string {
  return window.location.hash.slice(1);
}
