import { expect, it } from "vitest";
import { describeBrowser } from "./describe-browser.js";

it.each([
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36", "Chrome on Linux"],
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Safari/604.1", "Safari on iOS"],
  ["curl/8.5.0", "curl"],
  ["", "unknown"],
])("'%s' is %s", (userAgent, words) => expect(describeBrowser(userAgent)).toBe(words));
