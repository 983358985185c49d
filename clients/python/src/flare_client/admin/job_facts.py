"""What ``flare`` tells of jobs, with FLARE's keys besides its own."""

import datetime
from typing import Any, Dict, Iterable, List, Mapping, Optional


def job_meta(data: Mapping[str, Any]) -> Dict[str, Any]:
    """All that the server tells of one job."""
    submitted = datetime.datetime.fromisoformat(data["submit_time_iso"].replace("Z", "+00:00"))
    return {
        **data,
        "submit_time": submitted.timestamp(),
        "start_time": data.get("start_time_iso") or "",
        "duration": _duration_text(data),
        "job_clients": list(data.get("sites", [])),
    }


def job_summary(data: Mapping[str, Any]) -> Dict[str, Any]:
    """One job in a list."""
    return {**data, "job_name": data["name"], "submit_time": data["submit_time_iso"], "duration": _duration_text(data)}


def job_logs(
    lines: Iterable[Mapping[str, Any]], sites: Iterable[str], target: str, tail_lines: Optional[int], grep_pattern: Optional[str]
) -> Dict[str, Dict[str, str]]:
    """Log lines by site, and of whom there are none and why.

    :param sites: those of the job, where all are the target
    """
    texts: Dict[str, List[str]] = {}
    for line in lines:
        texts.setdefault(line["site"], []).append(line["text"])
    chosen = {site: _chosen(of_site, tail_lines, grep_pattern) for site, of_site in texts.items()}
    asked = ["server", *sites] if target == "all" else [target]
    missing = {name: _SERVER if name == "server" else _SITE for name in asked if name not in texts}
    return {"logs": chosen, **({"unavailable": missing} if missing else {})}


_SERVER = "what the server says of a job is its journal, which `flare job monitor` shows"
_SITE = 'it has sent no lines; its operator allows that by "allow_log_streaming": true in local/resources.json'


def _chosen(lines: List[str], tail_lines: Optional[int], grep_pattern: Optional[str]) -> str:
    last = lines if tail_lines is None else lines[max(0, len(lines) - tail_lines) :]
    return "".join(f"{line}\n" for line in last if not grep_pattern or grep_pattern in line)


def _duration_text(data: Mapping[str, Any]) -> str:
    milliseconds = data.get("duration_ms")
    return "N/A" if milliseconds is None else str(datetime.timedelta(milliseconds=milliseconds))
