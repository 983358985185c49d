import { Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Logo } from "../shell/logo.js";
import { ThemeSwitch } from "../shell/theme-switch.js";
import classes from "./open-frame.module.css";

export interface OpenFrameProps {
  readonly title: string;
  readonly about?: ReactNode;
  /** Below the box, such as another way in. */
  readonly foot?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of pages for those who are not signed in: one box, one task. */
export function OpenFrame({ title, about, foot, children }: OpenFrameProps) {
  useEffect(() => {
    document.title = `${title} · FLARE-TS`;
  }, [title]);
  return (
    <div className={classes["frame"]}>
      <div className={classes["corner"]}>
        <ThemeSwitch />
      </div>
      <main className={classes["box"]}>
        <div className={classes["brand"]}>
          <Logo size={30} />
          <span>FLARE-TS</span>
        </div>
        <Title order={1}>{title}</Title>
        {about !== undefined && (
          <Text c="dimmed" mt={4} component="div">
            {about}
          </Text>
        )}
        <div className={classes["content"]}>{children}</div>
        {foot !== undefined && <div className={classes["foot"]}>{foot}</div>}
      </main>
    </div>
  );
}
