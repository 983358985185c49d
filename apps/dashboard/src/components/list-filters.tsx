import { Group, SegmentedControl, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useAddressValue } from "./use-address-value.js";

/** Which entries of a list are looked at; it stands in the page's address. */
export interface Filters {
  /** One of the list's views; `all` at first. */
  readonly view: string;
  readonly setView: (view: string) => void;
  /** What is searched for. */
  readonly text: string;
  readonly setText: (text: string) => void;
}

/** The filters of the page's list. */
export function useFilters(): Filters {
  const [view, setView] = useAddressValue("view", "all");
  const [text, setText] = useAddressValue("text");
  return { view, setView, text, setText };
}

/** Whether the words of an entry hold what is searched for, however it is written. */
export function holdsText(words: readonly string[], { text }: Filters): boolean {
  return words.join(" ").toLowerCase().includes(text.trim().toLowerCase());
}

export interface ListFiltersProps {
  readonly filters: Filters;
  /** What the views tell apart. */
  readonly label: string;
  readonly views: readonly { readonly value: string; readonly label: string }[];
  /** What the field is for, such as `Search sites`, and what can be typed into it. */
  readonly search: string;
  readonly placeholder: string;
}

/** The choice of a view, and a field to search with, above a list. */
export function ListFilters({ filters: { view, setView, text, setText }, label, views, search, placeholder }: ListFiltersProps) {
  return (
    <Group p="md" gap="sm">
      <SegmentedControl size="xs" value={view} onChange={setView} aria-label={label} data={[...views]} />
      <TextInput
        size="xs"
        aria-label={search}
        placeholder={placeholder}
        leftSection={<IconSearch size={14} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        w={240}
      />
    </Group>
  );
}
