import { getSession } from "@flare-ts/dashboard-api/contract";
import { type FocusEvent, type ReactNode, useEffect, useState } from "react";
import { useApiQuery } from "../api/use-api-query.js";
import classes from "./session-cover.module.css";

/** How often it is asked whether its person has signed in beside this page. */
const lookEveryMs = 5000;

/** Lies over the pages of somebody whose session has ended: nothing of them is seen, and what was typed is there when they are back. */
export function SessionCover({ children }: { readonly children: ReactNode }) {
  useApiQuery(getSession, {}, { everyMs: lookEveryMs });
  const [titleBefore] = useState(() => document.title);
  useEffect(() => {
    document.body.dataset["covered"] = "true";
    return () => {
      delete document.body.dataset["covered"];
      document.title = titleBefore;
    };
  }, [titleBefore]);
  return (
    <div className={classes["cover"]} onFocusCapture={keepEscape}>
      {children}
    </div>
  );
}

/** A dialog below would close on Escape; the library asks the element that has the focus. */
function keepEscape({ target }: FocusEvent<HTMLElement>): void {
  target.dataset["mantineStopPropagation"] = "true";
}
