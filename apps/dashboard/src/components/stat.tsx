import type { ReactNode } from "react";
import classes from "./stat.module.css";

export interface StatProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly about?: ReactNode;
}

/** One figure that counts. */
export function Stat({ label, value, about }: StatProps) {
  return (
    <div className={classes["stat"]}>
      <div className={classes["label"]}>{label}</div>
      <div className={classes["value"]}>{value}</div>
      {about !== undefined && <div className={classes["about"]}>{about}</div>}
    </div>
  );
}

/** Figures in a row. */
export function Stats({ children }: { readonly children: ReactNode }) {
  return <div className={classes["stats"]}>{children}</div>;
}
