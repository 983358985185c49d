import type { Command } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { addCaCommands } from "./ca-commands.js";
import { addHolderCommands } from "./holder-commands.js";
import { addRequestCommands } from "./request-commands.js";

/** Adds `flare cert …`. */
export function addCertCommands(group: Command, bind: BindHandler): void {
  addHolderCommands(group, bind);
  addCaCommands(group.command("ca").description("a CA from elsewhere: its key given, or its signature asked for"), bind);
  addRequestCommands(group, bind);
}
