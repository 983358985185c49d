import { Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./empty-state.module.css";

export interface EmptyStateProps {
  readonly icon: ReactNode;
  readonly title: string;
  /** What to do next. */
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** Where there is nothing yet: what will be here, and what to do for it. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className={classes["empty"]}>
      <div className={classes["icon"]} aria-hidden="true">
        {icon}
      </div>
      <Title order={3}>{title}</Title>
      <Text c="dimmed" size="sm" maw={440} component="div">
        {children}
      </Text>
      {action !== undefined && <div className={classes["action"]}>{action}</div>}
    </div>
  );
}
