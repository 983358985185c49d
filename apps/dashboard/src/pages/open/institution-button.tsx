import { startOidc } from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { IconBuildingBank } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useApiMutation } from "../../api/use-api-mutation.js";

export interface InstitutionButtonProps {
  readonly provider: string;
  /** Token of the invitation by which an account is made. */
  readonly invitation?: string;
  readonly children: ReactNode;
}

/** Leads to the sign-in of an institution. */
export function InstitutionButton({ provider, invitation, children }: InstitutionButtonProps) {
  const begin = useApiMutation(startOidc, { onDone: ({ url }) => location.assign(url) });
  return (
    <Button
      variant="default"
      leftSection={<IconBuildingBank size={16} />}
      loading={begin.isPending}
      onClick={() => begin.mutate({ body: { provider, ...(invitation === undefined ? {} : { invitation }) } })}
    >
      {children}
    </Button>
  );
}
