import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./section.module.css";

export interface SectionProps {
  readonly title?: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** Whether the content goes to the edges, as tables do. @default false */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** A titled surface: the one kind of box that pages are made of. */
export function Section({ title, about, actions, isFlush = false, children }: SectionProps) {
  const id = useId();
  return (
    <section className={classes["section"]} {...(title === undefined ? {} : { "aria-labelledby": id })}>
      {title !== undefined && (
        <Group className={classes["head"]} justify="space-between" wrap="wrap" gap="xs">
          <div>
            <Title order={2} id={id}>
              {title}
            </Title>
            {about !== undefined && (
              <Text c="dimmed" size="sm" component="div">
                {about}
              </Text>
            )}
          </div>
          {actions}
        </Group>
      )}
      <div className={isFlush ? classes["flush"] : classes["body"]}>{children}</div>
    </section>
  );
}
