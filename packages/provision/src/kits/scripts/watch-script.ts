import type { ProcessType } from "../../project/project.js";
import { execFlare, scriptHead } from "./script-parts.js";

/** `sub_start.sh`: runs the process of a kit and starts it again when it dies. */
export function watchScript(type: ProcessType): string {
  return `${scriptHead("sub_start.sh: runs the process in the foreground and starts it again when it dies. TERM stops both.")}pid_file=$kit/daemon_pid.fl
max_delay_s=30
healthy_s=10
child=
sleeper=
stopping=
passed_on=
was_well=

${execFlare}
say() {
  printf '%s sub_start.sh: %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >&2
}

# Whether a process is a watchdog. Where there is no /proc, every live process counts as one.
is_watchdog() {
  kill -0 "$1" 2>/dev/null || return 1
  [ ! -r "/proc/$1/cmdline" ] || grep -q sub_start.sh "/proc/$1/cmdline"
}

# Whether a process is the watchdog of this kit: after a restart of the machine its number may be that of another kit's.
is_own_watchdog() {
  is_watchdog "$1" || return 1
  [ -r "/proc/$1/cmdline" ] || return 0
  script=$(tr '\\0' '\\n' <"/proc/$1/cmdline" | grep 'sub_start\\.sh$' | head -n 1)
  case $script in
    /*) ;;
    *) script=$(readlink "/proc/$1/cwd")/$script ;;
  esac
  of=$(CDPATH= cd -- "$(dirname -- "$script")/.." 2>/dev/null && pwd -P) || return 1
  [ "$of" = "$(CDPATH= cd -- "$kit" && pwd -P)" ]
}

claim_pid_file() {
  if (set -C; echo "$$" >"$pid_file") 2>/dev/null; then return 0; fi
  other=$(cat "$pid_file" 2>/dev/null)
  case $other in
    '' | *[!0-9]*) ;;
    *)
      if [ "$other" != "$$" ] && is_own_watchdog "$other"; then
        say "already running as process $other ($pid_file)"
        return 1
      fi
      ;;
  esac
  echo "$$" >"$pid_file"
}

# A process that was just forked is still this shell, which would take the signal and forget it: it is waited for.
end() {
  patience=20
  while [ "$patience" -gt 0 ] && is_watchdog "$1"; do
    sleep 0.05 2>/dev/null || { sleep 1 && patience=1; }
    patience=$((patience - 1))
  done
  kill -TERM "$1" 2>/dev/null
}

stop() {
  stopping=1
  if [ -n "$child$sleeper" ]; then
    passed_on=1
    end "$child$sleeper"
  fi
}

leave() {
  rm -f -- "$pid_file"
  exit "$1"
}

# Waits for the child and keeps its status, however many signals interrupt the waiting.
wait_for_child() {
  wait "$child"
  status=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
  done
}

# Before the number is told, by which others find this process.
trap stop TERM INT HUP
claim_pid_file || exit 1

# Tells the process that it is started again when it ends with another status than 0.
FLARE_WATCHED=on-failure
export FLARE_WATCHED

delay=1
while :; do
  started=$(date +%s)
  flare ${type} start "$kit" "$@" &
  child=$!
  # The signal may have come before the child's number was known.
  [ -z "$stopping" ] || [ -n "$passed_on" ] || end "$child"
  wait_for_child
  child=
  [ -z "$stopping" ] || leave 0
  lasted=$(($(date +%s) - started))
  # 0: it was asked to stop. 75: an admin has it restart. 4: its command line is not understood. 1 to 3: it has said what is wrong. 126, 127: there is no such
  # command. At a first start a person is there for that; later it may be a port that is taken, a disk that is away, an update.
  case $status in
    0 | 4) leave "$status" ;;
    75)
      say "the ${type} restarts"
      delay=1
      continue
      ;;
    1 | 2 | 3 | 126 | 127) [ -n "$was_well" ] || leave "$status" ;;
    *) [ "$lasted" -lt "$healthy_s" ] || was_well=1 ;;
  esac

  # A process that was well for a while is started again soon; one that keeps dying is not worth a core.
  [ "$lasted" -lt "$healthy_s" ] || delay=1
  say "the ${type} ended with status $status; starting it again in $delay s"
  sleep "$delay" &
  sleeper=$!
  [ -z "$stopping" ] || [ -n "$passed_on" ] || end "$sleeper"
  wait "$sleeper"
  sleeper=
  [ -z "$stopping" ] || leave 0
  delay=$((delay * 2))
  [ "$delay" -le "$max_delay_s" ] || delay=$max_delay_s
done
`;
}
