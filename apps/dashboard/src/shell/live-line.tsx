import { type LiveState } from "../live/live-connection.js";
import classes from "./shell.module.css";

const looks: Readonly<Record<LiveState, readonly [string, string]>> = {
  live: ["var(--fill-good)", "Live"],
  connecting: ["var(--fill-warn)", "Connecting"],
  lost: ["var(--fill-bad)", "Not live"],
};

/** Says whether the figures on the page are of now. */
export function LiveLine({ state }: { readonly state: LiveState }) {
  const [color, text] = looks[state];
  return (
    <div className={classes["live"]} role="status">
      <span className={classes["liveDot"]} style={{ background: color }} aria-hidden="true" />
      {text}
    </div>
  );
}
