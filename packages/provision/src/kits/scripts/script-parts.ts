/** First lines of every script; `kit` is the kit's absolute path from there on. */
export const scriptHead = (purpose: string): string => `#!/bin/sh
# ${purpose}
set -u
# A link to this script is as good as the script.
[ ! -L "$0" ] || exec /bin/sh "$(readlink -f -- "$0")" "$@"
kit=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
`;

/**
 * A shell function that becomes the flare command. FLARE_NODE and FLARE_CLI name the interpreter and the program; otherwise
 * FLARE_COMMAND names one executable. Each is one word, whatever spaces it has.
 */
export const execFlare = `flare() {
  if [ -n "\${FLARE_NODE:-}" ] && [ -n "\${FLARE_CLI:-}" ]; then
    exec "$FLARE_NODE" "$FLARE_CLI" "$@"
  fi
  exec "\${FLARE_COMMAND:-flare}" "$@"
}
`;

/** A text as one word of a shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
