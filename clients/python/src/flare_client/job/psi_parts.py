"""What a job of a private set intersection is put together from, with FLARE's names and arguments; ``docs/psi.md`` says what each does."""

from typing import Any, Dict, Mapping, Optional

from .arguments import Other, checked_call, settle
from .component import SiteExecutor, Workflow, WrittenComponent

#: Where an intersection goes unless a job says it.
OUTPUT_PATH = "psi/intersection.txt"


class DhPSIController(Workflow):
    """Finds what identifiers all sites have. ``timeout``, in seconds for each round, is not FLARE's."""

    path = "DhPSIController"
    default_id = "DhPSIController"
    needs_model = False

    @checked_call
    def __init__(self, *, timeout: Optional[float] = None):
        super().__init__(timeout=timeout)


class PSIExecutor(SiteExecutor):
    """Takes a site's part, with the identifiers that the component leads to. All arguments but the first are not FLARE's."""

    _others: Mapping[str, Other] = {}

    @checked_call
    def __init__(
        self,
        psi_algo_id: str,
        *,
        launch_timeout: Optional[float] = None,
        stall_timeout: Optional[float] = None,
        stop_grace_period: Optional[float] = None,
        max_restarts: Optional[int] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        given = {
            "psi_algo_id": psi_algo_id,
            "launch_timeout": launch_timeout,
            "stall_timeout": stall_timeout,
            "stop_grace_period": stop_grace_period,
            "max_restarts": max_restarts,
        }
        self._arguments = {name: value for name, value in given.items() if value is not None}

    def executor(self, place: str) -> Dict[str, Any]:
        del place
        return {"path": "PSIExecutor", "args": self._arguments}


class DhPSITaskHandler(WrittenComponent):
    """FLARE's algorithm, which says where the identifiers are."""

    path = "DhPSITaskHandler"
    default_id = "dh_psi"

    @checked_call
    def __init__(self, local_psi_id: str):
        super().__init__(local_psi_id=local_psi_id)


class FilePSIWriter(WrittenComponent):
    """Where a site writes the intersection, below the folder that it has in the job's."""

    path = "FilePSIWriter"
    default_id = "psi_writer"

    @checked_call
    def __init__(self, output_path: str = OUTPUT_PATH):
        super().__init__(output_path=output_path)


class CsvItems(WrittenComponent):
    """Identifiers in a column of a table that the site's operator offers; not FLARE's.

    :param dataset: its name in ``datasets`` of the site's ``local/resources.json``
    """

    path = "CsvItems"
    default_id = "local_psi"

    @checked_call
    def __init__(self, dataset: str, column: str, delimiter: str = ",", psi_writer_id: str = "psi_writer"):
        self.psi_writer_id = psi_writer_id
        super().__init__(
            dataset=dataset, column=column, delimiter=None if delimiter == "," else delimiter, psi_writer_id=psi_writer_id
        )
