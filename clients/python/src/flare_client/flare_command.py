"""Runs the ``flare`` command, and turns what it answers into values and errors of Python."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from typing import IO, Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

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
    timeout: Optional[float] = None,
    ends_with_us: bool = False,
) -> Any:
    """Runs a command to its end, and gives ``data`` of its envelope.

    Ctrl-C and SIGTERM stop the command in good order before they end the script.

    :param on_event: is given each event while the command runs, as ``--format jsonl`` prints it
    :param variables: of the command's environment, besides those of this process
    :param timeout: seconds after which the command is stopped, in good order too; that is an error ``flare/timeout``
    :param ends_with_us: for a command with the flag ``--stop-with-input``: it stops also when this process is killed, which nobody can pass on
    :raises FlareCommandError:
    """
    command = [*_flare(), *arguments, "--format", "jsonl"]
    # Scripts of a simulation or a POC federation run in the Python that the job was written in.
    environment = {PYTHON_VARIABLE: sys.executable, **os.environ, **(variables or {})}
    # Its other end closes with this process, whatever ends that.
    held = subprocess.PIPE if ends_with_us else None
    try:
        child = subprocess.Popen(command, stdin=held, stdout=subprocess.PIPE, env=environment, encoding="utf-8")
    except OSError as error:
        raise FlareCommandError("flare/not-found", f"{command[0]} cannot be run: {error}.", _HINT) from None
    envelope: Optional[Dict[str, Any]] = None
    with _passing_signals(child), _limiting(child, timeout) as is_late, _ending(child) as output:
        for line in _lines(output):
            if "exit_code" in line:
                envelope = line
            elif on_event is not None:
                on_event(line)
        status = child.wait()
    if is_late.is_set() and (envelope is None or envelope["status"] != "ok"):
        raise FlareCommandError("flare/timeout", f"flare {' '.join(arguments[:2])} was stopped after {timeout} s.", exit_code=3)
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


def _lines(output: IO[str]) -> Iterator[Dict[str, Any]]:
    for text in output:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


@contextlib.contextmanager
def _ending(child: "subprocess.Popen[str]") -> Iterator[IO[str]]:
    """Gives the output of a command, which has ended afterwards, whatever happens to this script."""
    assert child.stdout is not None
    try:
        yield child.stdout
    except BaseException as error:
        # Ctrl-C reaches the command too, and other signals were passed on: it stops what it has started. A second request is for at once.
        if not isinstance(error, (KeyboardInterrupt, SystemExit)):
            child.terminate()
        if child.stdin is not None:
            child.stdin.close()
        # What it says meanwhile must not keep it.
        child.stdout.read()
        raise
    finally:
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def _limiting(child: "subprocess.Popen[str]", seconds: Optional[float]) -> Iterator[threading.Event]:
    """Stops a command that takes longer than so many seconds; gives what tells whether that has happened."""
    is_late = threading.Event()

    def stop() -> None:
        is_late.set()
        child.terminate()

    timer = threading.Timer(seconds or 0, stop)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


@contextlib.contextmanager
def _passing_signals(child: "subprocess.Popen[str]") -> Iterator[None]:
    """While a command runs, a signal that would end this process is passed on to the command, and ends the process when that has ended."""

    def pass_on(number: int, _: Any) -> None:
        # No more than that: the process may just be waiting for the command, and cannot wait twice.
        child.send_signal(number)
        raise SystemExit(128 + number)

    before: Dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _problem_text(problem: Mapping[str, Any]) -> str:
    place = ":".join(str(problem[key]) for key in ("file", "line", "column") if key in problem)
    return f"{place}: {problem['message']}" if place else str(problem["message"])
