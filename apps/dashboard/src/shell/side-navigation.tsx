import { UnstyledButton } from "@mantine/core";
import { Link, useLocation } from "wouter";
import { isAt, navigation } from "./navigation.js";
import classes from "./shell.module.css";

export interface SideNavigationProps {
  readonly role: string;
  /** What waits for a decision, by the address of its page. */
  readonly waiting: Readonly<Record<string, number>>;
  /** A page was chosen. */
  readonly onGo?: () => void;
}

/** The pages that a role may see, with how much waits there. */
export function SideNavigation({ role, waiting, onGo }: SideNavigationProps) {
  const [location] = useLocation();
  return (
    <nav className={classes["nav"]} aria-label="Pages">
      {navigation.map(({ title, items }) => (
        <div key={title}>
          <div className={classes["groupTitle"]} id={`nav-${title}`}>
            {title}
          </div>
          <ul className={classes["links"]} aria-labelledby={`nav-${title}`}>
            {items
              .filter(({ roles }) => roles === undefined || roles.includes(role))
              .map(({ href, text, icon: Icon }) => {
                const count = waiting[href] ?? 0;
                return (
                  <li key={href}>
                    <UnstyledButton
                      component={Link}
                      href={href}
                      className={classes["link"] ?? ""}
                      aria-current={isAt(location, href) ? "page" : undefined}
                      {...(onGo === undefined ? {} : { onClick: onGo })}
                    >
                      <Icon size={18} stroke={1.7} />
                      {text}
                      {count > 0 && (
                        <span className={classes["count"]} title={`${count} waiting`}>
                          {count}
                        </span>
                      )}
                    </UnstyledButton>
                  </li>
                );
              })}
          </ul>
        </div>
      ))}
    </nav>
  );
}
