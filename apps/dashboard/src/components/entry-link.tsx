import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, useSearch } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";

export interface EntryLinkProps {
  readonly href: string;
  readonly children: ReactNode;
}

/** What an entry's page is told of the list that led to it. */
interface FromList {
  /** The list's filters, as its address has them. */
  readonly filters?: string;
}

/** Leads from a list to one of its entries, whose page leads back to the list as it is filtered now. */
export function EntryLink({ href, children }: EntryLinkProps) {
  const state: FromList = { filters: useSearch() };
  return (
    <Text fw={550} size="sm" c="var(--mantine-color-anchor)" renderRoot={(props) => <Link {...props} href={href} state={state} />}>
      {children}
    </Text>
  );
}

/** The address of a list, with its filters where an entry of it led here. */
export function useWayBack(href: string): string {
  const filters = useHistoryState<FromList | null>()?.filters;
  return filters ? `${href}?${filters}` : href;
}
