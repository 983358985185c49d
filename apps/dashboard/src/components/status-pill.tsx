import type { ReactNode } from "react";
import classes from "./status-pill.module.css";

/** What a state means to who looks: fine, under way, needs a look, broken, or nothing. */
export type Tone = "good" | "live" | "warn" | "bad" | "idle";

export interface StatusPillProps {
  readonly tone: Tone;
  readonly children: ReactNode;
  readonly title?: string;
}

/** A state in a word, with a colour that is not needed to read it. */
export function StatusPill({ tone, children, title }: StatusPillProps) {
  return (
    <span className={`${classes["pill"]} ${classes[tone]}`} title={title}>
      <span className={classes["dot"]} aria-hidden="true" />
      {children}
    </span>
  );
}
