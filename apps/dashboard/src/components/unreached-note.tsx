import { getProject } from "@flare-ts/dashboard-api/contract";
import { Alert, Text } from "@mantine/core";
import { useApiQuery } from "../api/use-api-query.js";
import { useFederation } from "../live/use-federation.js";
import { formatMoment } from "./format.js";

/** Says that the dashboard does not reach the project's server, why, and of when the figures are. */
export function UnreachedNote() {
  const project = useApiQuery(getProject, {}).data;
  const federation = useFederation().data;
  if (project === undefined || federation === undefined || federation.link.isConnected) return null;
  // Before there can be a server nobody misses it.
  if (project.state !== "frozen" && !project.isElsewhere) return null;
  const { link, server } = federation;
  return (
    <Alert color="orange" variant="light" title="The dashboard does not reach the server">
      <Text size="sm" className="sentence">
        {link.reason}
      </Text>
      {server !== null && (
        <Text size="sm" c="dimmed">
          What you see is of {formatMoment(link.sinceMs)}.
        </Text>
      )}
    </Alert>
  );
}
