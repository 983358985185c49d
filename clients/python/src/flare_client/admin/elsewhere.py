"""Methods of FLARE's session that are not here, each with what there is in its place."""

from typing import Dict

_NO_FILES = "nothing of a site's files is read from afar; get_job_logs has what its jobs print, where its operator allows it"

ELSEWHERE: Dict[str, str] = {
    "configure_job_log": "processes of jobs have no levels; configure_site_log is for those of server and sites",
    "do_app_command": "a job takes no commands of one's own",
    "do_command": "the session has a method for each command, and `flare console` takes them as text",
    "download_job_components": "download_job_result brings everything that there is of a job",
    "get_available_apps_to_upload": "submit_job takes the path of any folder",
    "get_client_env": "report_version has the versions of each site, report_resources what it runs on",
    "list_job_components": "download_job_result brings everything that there is of a job",
    "remove_client": "restart has a site register anew, and disable_client keeps it out until enable_client",
    "reset_errors": "errors are told with their times, and nothing has to be forgotten",
    "show_errors": "check_status('client')['sites'] has the last error of each site",
    "show_stats": "get_job_meta has the progress of each site, and `flare job metrics` what training scripts track",
    **{
        name: _NO_FILES
        for name in (
            "cat_target",
            "get_working_directory",
            "grep_target",
            "head_target",
            "head_target_log",
            "ls_target",
            "tail_target",
            "tail_target_log",
        )
    },
}
