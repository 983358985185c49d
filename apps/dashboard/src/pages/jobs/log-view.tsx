import { Group, MultiSelect, Switch, Text } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { formatClock } from "../../components/format.js";
import classes from "./log-view.module.css";

/** A line of a site's log. */
export interface LogLine {
  readonly site: string;
  readonly atMs: number;
  readonly text: string;
}

/** Most lines that are drawn; the newest ones. */
const mostShown = 1000;

/** Log lines of the sites, the newest at the bottom; it follows them while nobody scrolls up. */
export function LogView({ lines }: { readonly lines: readonly LogLine[] }) {
  const [sites, setSites] = useState<string[]>([]);
  const [isFollowing, setFollowing] = useState(true);
  const frame = useRef<HTMLDivElement>(null);
  const names = useMemo(() => [...new Set(lines.map(({ site }) => site))].sort(), [lines]);
  const shown = lines.filter(({ site }) => sites.length === 0 || sites.includes(site)).slice(-mostShown);
  const last = shown.at(-1);
  useEffect(() => {
    if (isFollowing && frame.current !== null) frame.current.scrollTop = frame.current.scrollHeight;
  }, [last, isFollowing]);
  return (
    <>
      <Group justify="space-between" mb="xs">
        <MultiSelect
          size="xs"
          aria-label="Sites whose lines are shown"
          placeholder={sites.length === 0 ? "All sites" : ""}
          data={names}
          value={sites}
          onChange={setSites}
          clearable
          miw={220}
        />
        <Switch size="xs" label="Follow" checked={isFollowing} onChange={(event) => setFollowing(event.currentTarget.checked)} />
      </Group>
      <div ref={frame} className={classes["log"]} role="log" aria-label="Log lines" tabIndex={0}>
        {shown.map(({ site, atMs, text }, index) => (
          <div key={lines.length - shown.length + index} className={classes["line"]}>
            <span className={classes["time"]}>{formatClock(atMs)}</span>
            <span className={classes["site"]}>{site}</span>
            <span>{text}</span>
          </div>
        ))}
      </div>
      {lines.length > shown.length && sites.length === 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          The newest {mostShown} lines.
        </Text>
      )}
    </>
  );
}
