import {
  IconActivity,
  IconBuildingHospital,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconMailForward,
  IconSettings,
  IconUsers,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

/** A page that the navigation leads to. */
export interface NavigationItem {
  readonly href: string;
  readonly text: string;
  readonly icon: ComponentType<{ readonly size?: number; readonly stroke?: number }>;
  /** Who sees it; everybody where it is left out. */
  readonly roles?: readonly string[];
}

/** A group of pages under a heading. */
export interface NavigationGroup {
  readonly title: string;
  readonly items: readonly NavigationItem[];
}

/** The pages, in the order of their use. */
export const navigation: readonly NavigationGroup[] = [
  {
    title: "Federation",
    items: [
      { href: "/", text: "Overview", icon: IconLayoutDashboard },
      { href: "/jobs", text: "Jobs", icon: IconActivity },
      { href: "/sites", text: "Sites", icon: IconBuildingHospital },
    ],
  },
  {
    title: "Administration",
    items: [
      { href: "/kits", text: "Kits", icon: IconKey },
      { href: "/people", text: "People", icon: IconUsers, roles: ["project_admin", "org_admin"] },
      { href: "/invitations", text: "Invitations", icon: IconMailForward, roles: ["project_admin"] },
      { href: "/project", text: "Project", icon: IconSettings },
      { href: "/audit", text: "Audit trail", icon: IconHistory, roles: ["project_admin"] },
    ],
  },
];

/** Whether a location lies below an item of the navigation. */
export function isAt(location: string, href: string): boolean {
  return href === "/" ? location === "/" : location === href || location.startsWith(`${href}/`);
}
