import type { Command } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { addRequestCommands } from "./request-commands.js";

/** Adds `flare cert …`. */
export function addCertCommands(group: Command, bind: BindHandler): void {
  addRequestCommands(group, bind);
}
