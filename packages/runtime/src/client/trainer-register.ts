import module from "node:module";
import { pathToFileURL } from "node:url";
import { programPath } from "../installed.js";
import { load, resolve } from "./trainer-hooks.js";

// Loaded by `node --import` before the script of a job. Node before 22.15 knows only hooks in a thread of their own.
if (typeof module.registerHooks === "function") {
  module.registerHooks({
    resolve: (specifier, context, nextResolve) => resolve(specifier, context, nextResolve),
    load: (url, context, nextLoad) => load(url, context, nextLoad),
  });
} else {
  module.register(pathToFileURL(programPath("client/trainer-hooks")).href);
}
