import { type ReactNode, useEffect, useRef, useState } from "react";
import classes from "./scroll-frame.module.css";

export interface ScrollFrameProps {
  /** What is in it. */
  readonly label: string;
  readonly children: ReactNode;
}

/** Scrolls what is wider than there is room for sideways, so that the page itself does not; then the keyboard reaches it too. */
export function ScrollFrame({ label, children }: ScrollFrameProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [isWider, setWider] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWider(element.scrollWidth > element.clientWidth));
    for (const one of [element, ...element.children]) observer.observe(one);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={frame} className={classes["frame"]} {...(isWider ? { tabIndex: 0, role: "group", "aria-label": label } : {})}>
      {children}
    </div>
  );
}
