import { type KitFile, scriptFile } from "../kit-file.js";
import { execFlare, scriptHead } from "./script-parts.js";

/** `fl_admin.sh`: the flare command as the admin of this kit, with `--study` before it in a study; alone, the console at a terminal, and elsewhere what it can do. */
export function adminScript(): KitFile {
  return scriptFile(
    "startup/fl_admin.sh",
    `${scriptHead("fl_admin.sh: the flare command as this admin, for example: fl_admin.sh job list; alone: the console")}
${execFlare}
FLARE_STARTUP_KIT_DIR=$kit
export FLARE_STARTUP_KIT_DIR
case \${1-} in
  --study) FLARE_STUDY=\${2-}; shift; [ $# -gt 0 ] && shift; export FLARE_STUDY ;;
  --study=*) FLARE_STUDY=\${1#--study=}; shift; export FLARE_STUDY ;;
esac
if [ $# -eq 0 ]; then if [ -t 0 ]; then set -- console; else set -- --help; fi; fi
flare "$@"
`,
  );
}
