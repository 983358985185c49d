import type { ReactNode } from "react";
import classes from "./facts.module.css";

/** Names and values, side by side; made of `Fact`s. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className={classes["facts"]}>{children}</dl>;
}

export interface FactProps {
  readonly name: string;
  /** Nothing is shown where it is empty. */
  readonly children: ReactNode;
}

/** One name with its value. */
export function Fact({ name, children }: FactProps) {
  if (children === null || children === undefined || children === "" || children === false) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
