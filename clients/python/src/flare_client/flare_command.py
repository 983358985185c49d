"""Runs the ``flare`` command, and turns what it answers into values and errors of Python."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

#: Environment variable with the command that is run in place of ``flare``, as a shell splits it.
VARIABLE = "FLARE_COMMAND"

#: Environment variable by which sites that the command starts are told their Python.
PYTHON_VARIABLE = "FLARE_PYTHON"


class FlareCommandError(RuntimeError):
    """``flare`` could not do what it was asked.

    ``code`` is that of the error catalogue (``job/invalid``); ``problems`` are the single mistakes, ``hint`` is what to do, and ``facts`` are what
    the command knows of it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        problems: Sequence[str] = (),
        facts: Optional[Mapping[str, Any]] = None,
        exit_code: int = 1,
    ):
        super().__init__("\n  ".join([f"{message} [{code}]", *problems, *([hint] if hint else [])]))
        self.code = code
        self.message = message
        self.hint = hint
        self.problems = list(problems)
        self.facts = dict(facts or {})
        #: Exit status of the command.
        self.exit_code = exit_code


def run_flare(
    *arguments: str,
    on_event: Optional[Callable[[Dict[str, Any]], None]] = None,
    variables: Optional[Mapping[str, str]] = None,
) -> Any:
    """Runs a command to its end, and gives ``data`` of its envelope.

    Ctrl-C and SIGTERM stop the command in good order before they end the script.

    :param on_event: is given each event while the command runs, as ``--format jsonl`` prints it
    :param variables: of the command's environment, besides those of this process
    :raises FlareCommandError:
    """
    command = [*_flare(), *arguments, "--format", "jsonl"]
    # Scripts of a simulation or a POC federation run in the Python that the job was written in.
    environment = {PYTHON_VARIABLE: sys.executable, **os.environ, **(variables or {})}
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, encoding="utf-8")
    except OSError as error:
        raise FlareCommandError("flare/not-found", f"{command[0]} cannot be run: {error}.", _HINT) from None
    envelope: Optional[Dict[str, Any]] = None
    with _PassingSignals(child):
        for line in _lines(child):
            if "exit_code" in line:
                envelope = line
            elif on_event is not None:
                on_event(line)
        status = child.wait()
    if envelope is None:
        raise FlareCommandError("flare/no-answer", f"flare {arguments[0]} ended with {status} and no answer.")
    if envelope["status"] == "ok":
        return envelope["data"]
    problems = [_problem_text(problem) for problem in envelope.get("problems", [])]
    raise FlareCommandError(
        envelope["error_code"], envelope["message"], envelope.get("hint", ""), problems, envelope.get("facts"), envelope["exit_code"]
    )


_HINT = f"The command comes with FLARE-TS; {VARIABLE} names another one, and `flare-client run` finds its own."


def _flare() -> List[str]:
    named = os.environ.get(VARIABLE)
    if named:
        return shlex.split(named)
    found = shutil.which("flare")
    if found is None:
        raise FlareCommandError("flare/not-found", "There is no command flare on the PATH.", _HINT)
    return [found]


def _lines(child: "subprocess.Popen[str]") -> Iterator[Dict[str, Any]]:
    assert child.stdout is not None
    with child.stdout:
        while True:
            try:
                text = child.stdout.readline()
            except KeyboardInterrupt:
                # The command has heard it too, and stops what it has started.
                child.stdout.read()
                raise
            if not text:
                return
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


class _PassingSignals:
    """While a command runs, a signal that would end this process ends the command first."""

    def __init__(self, child: "subprocess.Popen[str]"):
        self._child = child
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                self._before[number] = signal.signal(number, self._pass_on)

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._child.poll() is None:
            self._child.terminate()
            self._child.wait()

    def _pass_on(self, number: int, _: Any) -> None:
        self._child.send_signal(number)
        self._child.wait()
        raise SystemExit(128 + number)


def _problem_text(problem: Mapping[str, Any]) -> str:
    place = ":".join(str(problem[key]) for key in ("file", "line", "column") if key in problem)
    return f"{place}: {problem['message']}" if place else str(problem["message"])
