"""Private set intersection as a recipe."""

from typing import Any, Union

from ..job import CsvItems, DhPSIController, DhPSITaskHandler, FedJob, FilePSIWriter, JobError, PSIExecutor
from ..job.arguments import settle
from ..job.psi_parts import OUTPUT_PATH
from ..psi.spec import PSI
from .spec import Recipe


class DhPSIRecipe(Recipe):
    """Finds which identifiers all sites have, and shows none of the others to anybody; ``docs/psi.md`` says how. Each site has the result as a file.

    :param name: of the job
    :param min_clients: sites that the job begins with at least, two or more; those that it begins with all take part to its end
    :param local_psi: an object of a class that derives from :class:`flare_client.psi.PSI`, which each site makes again; not FLARE's:
        ``CsvItems("patients", "patient_id")`` for the site's own table, which needs no code at the site
    :param output_path: where each site writes the intersection, below the folder that it has in the job's
    :raises JobError: for what is wrong, unknown, or cannot go to a site
    """

    def __init__(
        self,
        *,
        name: str = "dh_psi",
        min_clients: int,
        local_psi: Union[PSI, CsvItems],
        output_path: str = OUTPUT_PATH,
        **others: Any,
    ):
        settle(self, others, {})
        if not isinstance(local_psi, (PSI, CsvItems)):
            raise JobError(
                f"'local_psi' is a {type(local_psi).__name__}: it must be an object of a class that derives from PSI, or CsvItems"
            )
        if min_clients < 2:
            raise JobError(f"'min_clients' is {min_clients}: an intersection is of two sites at least")
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(DhPSIController())
        local = job.to_clients(local_psi, id="local_psi")
        handler = job.to_clients(DhPSITaskHandler(local), id="dh_psi")
        job.to_clients(FilePSIWriter(output_path), id=local_psi.psi_writer_id)
        job.to_clients(PSIExecutor(handler), tasks=["PSI"])
        super().__init__(job)
