"""The command ``flare-client``."""

import argparse
import json
import os
import runpy
import signal
import sys
from typing import Any, Dict, List, Optional

from .api import use_default_weight
from .attach import FOLDER_VARIABLE, ID_VARIABLE, find_profile
from .bootstrap import VARIABLE
from .errors import ClientApiError
from .launch import launch
from .nvflare_names import install_nvflare_names
from .script_errors import told_error


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs ``flare-client run``, ``launch``, ``attach``, ``statistics`` or ``psi``; gives the exit status."""
    parser = argparse.ArgumentParser(prog="flare-client", description="Runs training scripts of a federation.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    run = commands.add_parser(
        "run",
        help="run a training script, or one that defines a job; 'import nvflare' gives it what is here under these names",
        description="Runs a training script as a site's job process starts it, or a script that defines a job, such as a job.py with a "
        "recipe. One written for NVIDIA FLARE runs unchanged: its imports of nvflare are answered here, "
        "and a result without NUM_STEPS_CURRENT_ROUND counts as 1, as it does there.",
    )
    run.add_argument("--traceback", action="store_true", help="show where an error of a job's definition comes from, line by line")
    run.add_argument("script", help="path of the script")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script is given")
    start = commands.add_parser(
        "launch",
        help="start a launcher such as torchrun, whose rank 0 speaks with the job process",
        description="Runs a launcher of several processes, such as torchrun, with a channel that its processes can reach: "
        "flare-client launch torchrun --nproc_per_node=2 -m flare_client run train.py",
    )
    start.add_argument("launcher", nargs=argparse.REMAINDER, help="the launcher and its arguments")
    attach = commands.add_parser(
        "attach",
        help="run a training script by hand, for a job with execution_mode attach",
        description="Waits for a job of the site that wants a trainer to attach, and runs a training script for it.",
    )
    attach.add_argument(
        "--folder", default=os.environ.get(FOLDER_VARIABLE), help=f"the site's folder for it: <kit>/attach (default: {FOLDER_VARIABLE})"
    )
    attach.add_argument(
        "--id", default=os.environ.get(ID_VARIABLE), help=f"attach_id of the job (default: {ID_VARIABLE}, else the only one there)"
    )
    attach.add_argument("--wait", type=float, metavar="SECONDS", help="give up when no job wants a trainer for so long (default: wait)")
    attach.add_argument("script", help="path of the script")
    attach.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script is given")
    statistics = commands.add_parser(
        "statistics",
        help="compute statistics by a class, as a StatisticsExecutor asks for it",
        description="Answers the tasks of a workflow StatisticsController by a class that derives from Statistics.",
    )
    statistics.add_argument("generator", help="the class: module.Class, found from the working folder")
    statistics.add_argument("arguments", nargs="?", default="{}", help="what it is made with, as JSON")
    psi = commands.add_parser(
        "psi",
        help="load identifiers or save an intersection by a class, as a PSIExecutor asks for it",
        description="Lets a class that derives from PSI load identifiers to, or save an intersection from, file descriptor 3.",
    )
    psi.add_argument("verb", choices=["load", "save"], help="what the class does")
    psi.add_argument("local_psi", help="the class: module.Class, found from the working folder")
    psi.add_argument("arguments", help="what it is made with, as JSON")
    psi.add_argument("place", help="the job's writers and where they write, as JSON")
    given = parser.parse_args(arguments)
    if given.command == "psi":
        return intersect(given.verb, given.local_psi, json.loads(given.arguments), json.loads(given.place))
    if given.command == "statistics":
        return compute_statistics(given.generator, json.loads(given.arguments))
    if given.command == "launch":
        if not given.launcher:
            start.error("give the launcher to start, such as torchrun")
        return launch(given.launcher)
    if not os.path.isfile(given.script):
        (attach if given.command == "attach" else run).error(f"there is no script {given.script}")
    if given.command == "attach":
        if not given.folder:
            attach.error(f"give --folder, or set {FOLDER_VARIABLE}")
        try:
            os.environ[VARIABLE] = find_profile(given.folder, given.id, given.wait)
        except ClientApiError as error:
            print(f"flare-client: {error}", file=sys.stderr)
            return 1
    install_nvflare_names()
    use_default_weight(1.0)
    sys.argv = [given.script, *given.arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(given.script)))
    try:
        runpy.run_path(given.script, run_name="__main__")
    except KeyboardInterrupt:
        if getattr(given, "traceback", False):
            raise
        print("flare-client: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except Exception as error:
        told = told_error(error)
        if told is None or getattr(given, "traceback", False):
            raise
        print(f"flare-client: {told[0]}", file=sys.stderr)
        return told[1]
    return 0


def compute_statistics(generator: str, arguments: Dict[str, Any]) -> int:
    """Answers the tasks of statistics by an object of a class; gives the exit status."""
    install_nvflare_names()
    sys.path.insert(0, os.getcwd())
    from .statistics.serve import generator_of, serve

    serve(generator_of(generator, arguments))
    return 0


def intersect(verb: str, local_psi: str, arguments: Dict[str, Any], place: Dict[str, Any]) -> int:
    """Has an object of a class load identifiers, or save an intersection; gives the exit status."""
    install_nvflare_names()
    sys.path.insert(0, os.getcwd())
    from .psi.serve import load, psi_of, save

    psi = psi_of(local_psi, arguments, place)
    (load if verb == "load" else save)(psi)
    return 0


if __name__ == "__main__":
    sys.exit(main())
