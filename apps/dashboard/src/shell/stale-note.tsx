import { Alert } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { formatMoment } from "../components/format.js";
import type { Liveness } from "../live/use-live.js";

/** Says of when the figures on the page are, while the dashboard does not answer. */
export function StaleNote({ live: { state, heardAtMs } }: { readonly live: Liveness }) {
  if (state !== "lost") return null;
  return (
    <Alert color="orange" variant="light" mb="lg" icon={<IconPlugConnectedX size={18} />} title="This page is not live" role="status">
      {heardAtMs === null
        ? "The dashboard sends no news. Figures stand still until it does."
        : `The dashboard does not answer. What you see is of ${formatMoment(heardAtMs)}; it goes on by itself once the dashboard is back.`}
    </Alert>
  );
}
