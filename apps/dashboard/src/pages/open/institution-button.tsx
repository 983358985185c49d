import { startOidc } from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { IconBuildingBank } from "@tabler/icons-react";
import { type ReactNode, useRef } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";

export interface InstitutionButtonProps {
  readonly provider: string;
  /** Token of the invitation by which an account is made. */
  readonly invitation?: string;
  /** Whether it opens beside this page, which goes on by itself afterwards. @default false */
  readonly isBeside?: boolean;
  readonly children: ReactNode;
}

/** Leads to the sign-in of an institution. */
export function InstitutionButton({ provider, invitation, isBeside = false, children }: InstitutionButtonProps) {
  const beside = useRef<Window | null>(null);
  const begin = useApiMutation(startOidc, { onDone: ({ url }) => (beside.current ?? window).location.assign(url) });
  const start = (): void => {
    // Now, because browsers let a click alone open a window.
    beside.current = isBeside ? window.open("about:blank") : null;
    begin.mutate({ body: { provider, ...(invitation === undefined ? {} : { invitation }) } }, { onError: () => beside.current?.close() });
  };
  return (
    <Button variant="default" leftSection={<IconBuildingBank size={16} />} loading={begin.isPending} onClick={start}>
      {children}
    </Button>
  );
}
