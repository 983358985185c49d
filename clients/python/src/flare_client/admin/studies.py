"""The methods of a session about studies."""

from typing import Any, Dict, List, Optional

from .asking import Asking, word, words
from .errors import InvalidArgumentError


class Studies(Asking):
    """Each method gives what the server tells of the study.

    A project_admin names sites by ``site_orgs`` (``"org:site-1,site-2"``), an org_admin those of the own organisation by ``sites``.
    """

    def register_study(self, study: str, sites: Optional[List[str]] = None, site_orgs: Optional[List[str]] = None) -> Dict[str, Any]:
        """Makes a study, or adds sites to one that is there."""
        return self._change("register", study, sites, site_orgs)

    def add_study_site(self, study: str, sites: Optional[List[str]] = None, site_orgs: Optional[List[str]] = None) -> Dict[str, Any]:
        """Adds sites; the result has ``added`` and ``already_enrolled``."""
        return self._change("add-site", study, sites, site_orgs)

    def remove_study_site(self, study: str, sites: Optional[List[str]] = None, site_orgs: Optional[List[str]] = None) -> Dict[str, Any]:
        """Removes sites, which leave the study's jobs at once; the result has ``removed`` and ``not_enrolled``."""
        return self._change("remove-site", study, sites, site_orgs)

    def remove_study(self, study: str) -> Dict[str, Any]:
        """Removes a study that has no jobs."""
        return self._ask("study", "remove", word(study, "'study'"), "--force")

    def list_studies(self) -> Dict[str, Any]:
        """Studies that the admin may see, under ``studies``."""
        return self._ask("study", "list")

    def show_study(self, study: str) -> Dict[str, Any]:
        """Sites and users of a study."""
        return self._ask("study", "show", word(study, "'study'"))

    def add_study_user(self, study: str, user: str) -> Dict[str, Any]:
        """Lets an admin work in a study."""
        return self._ask("study", "add-user", word(study, "'study'"), word(user, "'user'"))

    def remove_study_user(self, study: str, user: str) -> Dict[str, Any]:
        """Lets an admin not work in a study any more."""
        return self._ask("study", "remove-user", word(study, "'study'"), word(user, "'user'"))

    def _change(self, verb: str, study: str, sites: Optional[List[str]], site_orgs: Optional[List[str]]) -> Dict[str, Any]:
        if bool(sites) == bool(site_orgs):
            raise InvalidArgumentError("Give either 'sites' or 'site_orgs'.")
        named = ["--sites", *words(sites, "'sites'")] if sites else [f"--site-org={one}" for one in words(site_orgs, "'site_orgs'")]
        return self._ask("study", verb, word(study, "'study'"), *named)
