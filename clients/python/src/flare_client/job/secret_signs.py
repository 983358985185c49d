"""What looks like a secret in a job, which everybody who has a part in it can read."""

import functools
import re
import sys
from typing import Any, Iterator, Mapping, Sequence, Tuple

#: Names of flags, variables and arguments whose value is one. Whole parts of a name count: ``api_key`` and not ``tokenizer``.
_NAME = re.compile(
    r"(?i)(^|[_.-])(password|passwd|passphrase|secret|token|credentials?|(api|access|private|secret|auth)[_-]?(key|token)|[a-z0-9]+[_-]key)$"
)

#: Forms that services give to their keys.
_FORMS = re.compile(
    r"\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|hf_\w{28,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_PASSWORD_OF_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")

#: What a value begins with that only says where the secret is, or is the name of something special to a tokenizer.
_ELSEWHERE = ("/", "./", "../", "~", "$", "%", "<", "[", "{")


def tell_secrets(value: Any, what: str) -> None:
    """Says in a line, and once, for each value that looks like a secret where it is; never what it is."""
    for where, size in _found(value, ""):
        _tell(f"{what}{where}", size)


def tell_secrets_of_words(words: Sequence[str], what: str) -> None:
    """The same for a command line: also values of flags, such as ``--api-key``."""
    for at, word in enumerate(words):
        name, has_value, value = word.partition("=")
        if not has_value and word.startswith("-"):
            value = words[at + 1] if at + 1 < len(words) and not words[at + 1].startswith("-") else ""
        if _is_name(name) and _is_value(value):
            _tell(f"{what} (the value of {name})", len(value))
        elif _has_form(word):
            _tell(what, len(word))


def _found(value: Any, where: str) -> Iterator[Tuple[str, int]]:
    if isinstance(value, str):
        if _has_form(value):
            yield where, len(value)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            place = f"{where}['{name}']"
            if isinstance(one, str) and _is_name(str(name)) and _is_value(one):
                yield place, len(one)
            else:
                yield from _found(one, place)
    elif isinstance(value, (list, tuple)):
        for at, one in enumerate(value):
            yield from _found(one, f"{where}[{at}]")


def _is_name(name: str) -> bool:
    return _NAME.search(name.lstrip("-")) is not None


def _is_value(text: str) -> bool:
    return len(text) >= 8 and not text.startswith(_ELSEWHERE) and not text.replace(".", "").isdigit()


def _has_form(text: str) -> bool:
    return any(form.search(text) is not None for form in (_FORMS, _PRIVATE_KEY, _PASSWORD_OF_ADDRESS))


@functools.lru_cache(maxsize=None)
def _tell(where: str, size: int) -> None:
    print(
        f"flare-client: what looks like a secret is in {where}, {size} characters: every site and the server can read it. "
        "Let each site keep it, and read it there; a script is given it by the job's 'env': docs/write-a-job.md, 'Secrets'",
        file=sys.stderr,
    )
