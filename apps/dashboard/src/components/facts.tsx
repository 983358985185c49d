import type { ReactNode } from "react";
import classes from "./facts.module.css";

export interface FactsProps {
  /** Name and value; those without a value are left out. */
  readonly items: readonly (readonly [string, ReactNode])[];
}

/** Names and values, side by side. */
export function Facts({ items }: FactsProps) {
  return (
    <dl className={classes["facts"]}>
      {items
        .filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
