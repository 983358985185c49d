import { getSession, type Profile, signOut } from "@flare-ts/dashboard-api/contract";
import { Menu, UnstyledButton } from "@mantine/core";
import { IconLogout, IconUserCircle } from "@tabler/icons-react";
import { Link } from "wouter";
import { useApiMutation } from "../api/use-api-mutation.js";
import { useLeave } from "../api/use-kept-person.js";
import { roleTitle } from "../pages/people/role-titles.js";
import classes from "./shell.module.css";

/** Who is signed in, and the way to the profile and out. */
export function PersonMenu({ person }: { readonly person: Profile }) {
  const leave = useApiMutation(signOut, { changes: [getSession], onDone: useLeave() });
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <UnstyledButton className={classes["person"] ?? ""}>
          <span className={classes["avatar"]} aria-hidden="true">
            {initials(person.name)}
          </span>
          <span className={classes["personWords"]}>
            <div>{person.name}</div>
            <div className={classes["project"]}>{roleTitle(person.role)}</div>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{person.email}</Menu.Label>
        <Menu.Item component={Link} href="/profile" leftSection={<IconUserCircle size={16} stroke={1.7} />}>
          Profile
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.7} />} onClick={() => leave.mutate({})}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  return `${words[0]?.[0] ?? "?"}${words.length > 1 ? (words.at(-1)?.[0] ?? "") : ""}`.toUpperCase();
}
