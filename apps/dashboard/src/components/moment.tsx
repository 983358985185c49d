import { Tooltip } from "@mantine/core";
import { formatAgo, formatMoment } from "./format.js";
import { useNow } from "./use-now.js";

/** A moment as a distance from now, with the exact time on asking. */
export function Moment({ atMs }: { readonly atMs: number }) {
  const now = useNow();
  return (
    <Tooltip label={formatMoment(atMs)}>
      <time dateTime={new Date(atMs).toISOString()}>{formatAgo(atMs, now)}</time>
    </Tooltip>
  );
}
