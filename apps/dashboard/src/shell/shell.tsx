import type { Profile } from "@flare-ts/dashboard-api/contract";
import { ActionIcon, Drawer } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import type { Liveness } from "../live/use-live.js";
import { LiveLine } from "./live-line.js";
import { Logo } from "./logo.js";
import { PersonMenu } from "./person-menu.js";
import classes from "./shell.module.css";
import { SideNavigation } from "./side-navigation.js";
import { StaleNote } from "./stale-note.js";
import { ThemeSwitch } from "./theme-switch.js";
import { useKeptFocus } from "./use-kept-focus.js";

export interface ShellProps {
  readonly person: Profile;
  /** Title of the project. */
  readonly project: string;
  readonly live: Liveness;
  /** What waits for a decision, by the address of its page. */
  readonly waiting: Readonly<Record<string, number>>;
  readonly children: ReactNode;
}

/** The frame of all pages: navigation at the side, on a phone behind a button. */
export function Shell({ person, project, live, waiting, children }: ShellProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useKeptFocus(main);
  useEffect(() => {
    // A new page begins at its top, also for those who hear it; not at the first, where the browser has just begun there.
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
    // However one went there: by the person's menu or the browser's own buttons too.
    close();
  }, [location, close]);
  const side = (onGo?: () => void): ReactNode => (
    <>
      <Link href="/" className={classes["brand"]}>
        <Logo />
        <span style={{ minWidth: 0 }}>
          <div className={classes["brandName"]}>FLARE-TS</div>
          <div className={classes["project"]}>{project}</div>
        </span>
      </Link>
      <SideNavigation role={person.role} waiting={waiting} {...(onGo === undefined ? {} : { onGo })} />
      <div className={classes["foot"]}>
        <LiveLine state={live.state} />
        <div className={classes["footRow"]}>
          <PersonMenu person={person} />
          <ThemeSwitch />
        </div>
      </div>
    </>
  );
  return (
    <div className={classes["shell"]}>
      <a href="#main" className="skip-link">
        Skip to the content
      </a>
      <header className={classes["top"]}>
        <ActionIcon size="lg" aria-label="Open the navigation" onClick={open}>
          <IconMenu2 size={20} />
        </ActionIcon>
        <Logo size={22} />
        <span className={`${classes["brandName"]} ${classes["topTitle"]}`}>{project}</span>
        <LiveLine state={live.state} />
      </header>
      <aside className={classes["side"]}>{side()}</aside>
      <Drawer opened={isOpen} onClose={close} size={270} title="Pages" closeButtonProps={{ "aria-label": "Close the navigation" }}>
        <div className={classes["sheet"]}>
          <div style={{ display: "flex", flexDirection: "column", width: "100%" }}>{side(close)}</div>
        </div>
      </Drawer>
      <main id="main" ref={main} className={classes["main"]} tabIndex={-1}>
        <StaleNote live={live} />
        {children}
      </main>
    </div>
  );
}
