export { flareCommandPath } from "./command-line/flare-command-path.js";
