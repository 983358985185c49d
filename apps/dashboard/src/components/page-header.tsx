import { Group, Text, Title } from "@mantine/core";
import { IconChevronLeft } from "@tabler/icons-react";
import { type ReactNode, useEffect } from "react";
import { Link } from "wouter";
import { useWayBack } from "./entry-link.js";
import classes from "./page-header.module.css";

export interface PageHeaderProps {
  readonly title: string;
  /** One line below the title. */
  readonly about?: ReactNode;
  /** Where the page hangs in: a list, as it was filtered when one came from there. */
  readonly back?: { readonly href: string; readonly text: string };
  /** Beside the title, such as a state. */
  readonly badge?: ReactNode;
  /** What can be done here; the main action last. */
  readonly actions?: ReactNode;
}

/** The head of a page; it also names the document, so that tabs and screen readers say where one is. */
export function PageHeader({ title, about, back, badge, actions }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · FLARE-TS`;
  }, [title]);
  const wayBack = useWayBack(back?.href ?? "");
  return (
    <header className={classes["header"]}>
      <div className={classes["words"]}>
        {back !== undefined && (
          <Link href={wayBack} className={classes["back"]}>
            <IconChevronLeft size={14} aria-hidden="true" />
            {back.text}
          </Link>
        )}
        <Group gap="sm">
          <Title order={1} className={classes["title"]}>
            {title}
          </Title>
          {badge}
        </Group>
        {about !== undefined && (
          <Text c="dimmed" size="sm" mt={2} component="div">
            {about}
          </Text>
        )}
      </div>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </header>
  );
}
