import { Alert } from "@mantine/core";

/** Says that certificates and kits of the federation that is watched are made elsewhere. */
export function ElsewhereNote() {
  return (
    <Alert color="cobalt" variant="light" title="This federation was provisioned elsewhere">
      The dashboard watches it with the kit of an admin: people, jobs and the audit trail are here; certificates and kits are made by
      whoever holds the project’s CA, with <span className="mono">flare provision</span> and <span className="mono">flare cert</span>.
    </Alert>
  );
}
