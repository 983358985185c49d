import { Text } from "@mantine/core";
import { formatClock, formatMoment } from "../../components/format.js";
import type { Incident } from "../../jobs/job-incidents.js";
import classes from "./incident-list.module.css";

/** Most entries that are drawn; the newest ones. */
const mostShown = 200;

/** What happened to a job, newest first. */
export function IncidentList({ incidents }: { readonly incidents: readonly Incident[] }) {
  if (incidents.length === 0) {
    return (
      <Text c="dimmed" size="sm">
        Nothing has happened yet.
      </Text>
    );
  }
  const shown = incidents.slice(-mostShown).toReversed();
  return (
    <ol className={classes["list"]} tabIndex={0} aria-label="What happened, newest first">
      {shown.map(({ atMs, kind, text }, index) => (
        <li key={incidents.length - index} className={classes[kind]}>
          <time dateTime={new Date(atMs).toISOString()} title={formatMoment(atMs)}>
            {formatClock(atMs)}
          </time>
          <span className={classes["dot"]} aria-hidden="true" />
          <span>{text}</span>
        </li>
      ))}
    </ol>
  );
}
