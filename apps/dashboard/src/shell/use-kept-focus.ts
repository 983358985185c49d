import { type RefObject, useEffect } from "react";

/** Where the focus goes on, from near to far: a row says what has become of it. */
const places = ["tr", "section", "header", "main"];

/**
 * Keeps the place of whoever goes through a page by keyboard or by ear: when what has the focus goes away, as a button does that has
 * done its work, the focus goes to what was around it, and not back to the beginning of the page.
 */
export function useKeptFocus(page: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = page.current;
    let focused: Element | null = null;
    let around: HTMLElement[] = [];
    const note = ({ target }: FocusEvent): void => {
      if (!(target instanceof Element)) return;
      focused = target;
      around = places.map((place) => target.closest<HTMLElement>(place)).filter((one) => one !== null);
    };
    // Of the whole document: a dialog that closes would give the focus back to the button that opened it.
    const observer = new MutationObserver(() => {
      if (focused === null || focused.isConnected || document.activeElement !== document.body) return;
      const next = around.find((one) => one.isConnected);
      focused = null;
      if (next === undefined) return;
      if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
      next.focus({ preventScroll: true });
    });
    root?.addEventListener("focusin", note);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => {
      root?.removeEventListener("focusin", note);
      observer.disconnect();
    };
  }, [page]);
}
