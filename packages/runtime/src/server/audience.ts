import type { ServerMessage } from "@flare-ts/contracts/wire";

/** Those whose control streams are open, by name. */
export interface Audience {
  names(): readonly string[];
  /** Puts a message on the control streams of a name; of one that has none nothing comes. */
  push(name: string, message: ServerMessage): void;
}

/** All of several audiences. */
export function joinAudiences(audiences: readonly Audience[]): Audience {
  return {
    names: () => audiences.flatMap((audience) => audience.names()),
    push: (name, message) => {
      for (const audience of audiences) audience.push(name, message);
    },
  };
}
