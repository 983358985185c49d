import { Text } from "@mantine/core";
import { formatAgo, formatDay } from "./format.js";
import { useNow } from "./use-now.js";

const minute = 60_000;

/** From so long before its end a certificate wants attention. */
const soonMs = 30 * 86_400_000;

/** The day on which a certificate ends; how far that is where it wants attention. */
export function CertificateEnd({ atMs }: { readonly atMs: number }) {
  const now = useNow(minute);
  const leftMs = atMs - now;
  if (leftMs > soonMs) return formatDay(atMs);
  return (
    <Text span inherit c={leftMs < 0 ? "var(--ink-bad)" : "var(--ink-warn)"} fw={500}>
      {formatDay(atMs)}, {leftMs < 0 ? "ended " : ""}
      {formatAgo(atMs, now)}
    </Text>
  );
}
