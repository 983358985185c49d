"""What a job does, in lines, from the events that ``flare`` prints."""

from typing import Any, Dict, Mapping, Optional


class Progress:
    """Prints a line for each event that says something."""

    def __init__(self) -> None:
        #: The job's id, once an event has told it.
        self.job_id: Optional[str] = None
        self._evaluated: Dict[int, str] = {}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Takes an event as it comes."""
        self.job_id = event.get("jobId", self.job_id)
        line = self._line(event)
        if line is not None:
            print(line, flush=True)

    def _line(self, event: Mapping[str, Any]) -> Optional[str]:
        if event.get("type") == "note":
            return str(event["text"])
        if event.get("type") == "starting":
            return f"{len(event['sites'])} sites start in {event['workspace']}"
        if event.get("type") == "started":
            return f"{event['name']} {'started' if event.get('is_new') else 'already runs'}"
        said = event.get("event", {})
        tell = getattr(self, f"_{str(said.get('type')).replace('-', '_')}", None)
        return None if tell is None else tell(said)

    def _job_submitted(self, said: Mapping[str, Any]) -> str:
        return f"job {said['name']} submitted"

    def _job_started(self, said: Mapping[str, Any]) -> str:
        return f"job started at {', '.join(said['sites'])}"

    def _round_opened(self, said: Mapping[str, Any]) -> None:
        if "evaluates" in said:
            self._evaluated[said["round"]] = str(said["evaluates"])

    def _round_closed(self, said: Mapping[str, Any]) -> str:
        metrics = [f"{name} {value:.4g}" for name, value in sorted(said.get("metrics", {}).items())]
        owner = self._evaluated.get(said["round"])
        about = [f"round {said['round']}", *([] if owner is None else [f"model of {owner}"]), *metrics]
        missing = f"  missing: {', '.join(said['missing'])}" if said.get("missing") else ""
        return f"{'  '.join(about)}  {len(said['contributors'])} answers{missing}"

    def _task_failed(self, said: Mapping[str, Any]) -> str:
        error = said.get("error")
        why = error.get("message") if isinstance(error, Mapping) else error
        return f"{said.get('site')} failed: {why}"

    def _site_left(self, said: Mapping[str, Any]) -> str:
        return f"{said['site']} has left the job: {said['error']['message']}"

    def _job_ended(self, said: Mapping[str, Any]) -> str:
        return f"job ended: {said['status']} ({said['reason']})"
