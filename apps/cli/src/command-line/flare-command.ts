import { Command, type ParseOptionsResult } from "commander";

/** A command that names a flag that it does not know before it misses one that it needs: most often the one is the other, misspelt. */
export class FlareCommand extends Command {
  override createCommand(name?: string): FlareCommand {
    return new FlareCommand(name);
  }

  override parseOptions(argv: string[]): ParseOptionsResult {
    const parsed = super.parseOptions(argv);
    // The parser looks for required options first. It refuses this command line anyway, so that nothing runs without them.
    if (parsed.unknown.length > 0) for (const option of this.options) option.makeOptionMandatory(false);
    return parsed;
  }
}
