import { useSearchParams } from "wouter";

/**
 * A value that stands in the page's address, such as a filter: it is there again for whoever comes back, loads the page anew or passes
 * the address on. What is `usual` is not written there.
 */
export function useAddressValue(name: string, usual = ""): readonly [string, (value: string) => void] {
  const [written, write] = useWritten(name);
  return [written ?? usual, (value) => write(value === usual ? null : value)];
}

/** Whether a page's dialog for something new is open; its address ends in `?new` then, which is how other pages lead to it. */
export function useNewDialog(): readonly [boolean, (isOpen: boolean) => void] {
  const [written, write] = useWritten("new");
  return [written !== null, (isOpen) => write(isOpen ? "" : null)];
}

/** What the address says of a name; `null`: nothing. */
function useWritten(name: string): readonly [string | null, (value: string | null) => void] {
  const [search, setSearch] = useSearchParams();
  const write = (value: string | null): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === null) next.delete(name);
        else next.set(name, value);
        return next;
      },
      // A letter more is no step to go back to.
      { replace: true },
    );
  return [search.get(name), write];
}
