import type { Page } from "playwright-core";

/** What of a page nobody can get to by scrolling down, or sideways in a table; empty where all is well. */
export function cutOff(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found = new Set<string>();
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.add(`the page scrolls sideways: ${scrollWidth} > ${clientWidth}`);
    for (const element of document.querySelectorAll("main *, dialog *, [role=dialog] *")) {
      const box = element.getBoundingClientRect();
      // Of an element without anything in it, such as the place of a switch's label, nothing can be missed.
      if (element.textContent === "" && !element.matches("input, textarea, select, button, img, canvas, svg")) continue;
      if (element.childElementCount > 0 || box.width < 2 || element.closest("svg, details:not([open])") !== null) continue;
      for (let around = element.parentElement; around !== null; around = around.parentElement) {
        const { overflowX, textOverflow, clipPath } = getComputedStyle(around);
        // What scrolls, what ends in dots, and what is there to be heard.
        if (overflowX === "auto" || overflowX === "scroll" || textOverflow === "ellipsis" || clipPath !== "none") break;
        if (overflowX === "visible" && around !== document.documentElement) continue;
        const { left, right } = around.getBoundingClientRect();
        if (box.right > right + 2 || box.left < left - 2) found.add(`${element.tagName} ${element.textContent?.slice(0, 40)}`);
      }
    }
    return [...found];
  });
}
