import { useSearchParams } from "wouter";

/**
 * A value that stands in the page's address, such as a filter: it is there again for whoever comes back, loads the page anew or passes
 * the address on. What is `usual` is not written there.
 */
export function useAddressValue(name: string, usual = ""): readonly [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = (value: string): void =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === usual) next.delete(name);
        else next.set(name, value);
        return next;
      },
      // A letter more is no step to go back to.
      { replace: true },
    );
  return [search.get(name) ?? usual, set];
}

/** Whether a page's dialog for something new is open; its address ends in `?new` then, which is how other pages lead to it. */
export function useNewDialog(): readonly [boolean, (isOpen: boolean) => void] {
  const [search, setSearch] = useSearchParams();
  return [
    search.has("new"),
    (isOpen) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          if (isOpen) next.set("new", "");
          else next.delete("new");
          return next;
        },
        { replace: true },
      ),
  ];
}
