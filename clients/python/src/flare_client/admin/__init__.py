"""What an admin sees and does in a federation, with the names and meanings of NVIDIA FLARE's session::

    from flare_client.admin import new_secure_session

    session = new_secure_session("admin@example.org", "kits/admin@example.org")
    job_id = session.submit_job("jobs/hello")
    print(session.wait_for_job(job_id)["status"], session.download_job_result(job_id))
"""

from .errors import (
    AdminError,
    AuthenticationError,
    AuthorizationError,
    ClientsStillRunning,
    CommandError,
    InternalError,
    InvalidArgumentError,
    InvalidJobDefinition,
    InvalidTarget,
    JobNotDone,
    JobNotFound,
    JobNotRunning,
    JobTimeout,
    NoClientsAvailable,
    NoConnection,
    NoReply,
    NotHere,
    SessionClosed,
    SessionExpired,
    SubmitTokenConflict,
    SubmitTokenJobDeleted,
)
from .information import ClientInfo, JobInfo, MonitorReturnCode, ServerInfo, SystemInfo, TargetType
from .session import Session, basic_cb_with_print, new_insecure_session, new_secure_session, new_session

__all__ = [
    "AdminError",
    "AuthenticationError",
    "AuthorizationError",
    "ClientInfo",
    "ClientsStillRunning",
    "CommandError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidJobDefinition",
    "InvalidTarget",
    "JobInfo",
    "JobNotDone",
    "JobNotFound",
    "JobNotRunning",
    "JobTimeout",
    "MonitorReturnCode",
    "NoClientsAvailable",
    "NoConnection",
    "NoReply",
    "NotHere",
    "ServerInfo",
    "Session",
    "SessionClosed",
    "SessionExpired",
    "SubmitTokenConflict",
    "SubmitTokenJobDeleted",
    "SystemInfo",
    "TargetType",
    "basic_cb_with_print",
    "new_insecure_session",
    "new_secure_session",
    "new_session",
]
