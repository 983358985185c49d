"""The files of an app's ``custom`` folder: a training script, and the modules beside it that it imports."""

import ast
import os
import shutil
import sys
from typing import Dict, Iterator, List, Optional, Tuple

from .errors import JobError
from .object_by_name import OURS, module_name_of, source_of

#: What lies about in folders of code and is none of it.
_LITTER = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", ".ipynb_checkpoints")


class SourceFiles:
    """Files on this machine, each with its place in ``custom``."""

    def __init__(self) -> None:
        self._sources: Dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._sources)

    def add_script(self, path: str) -> str:
        """Adds a script and the local modules that it imports, and theirs; gives its place.

        Modules are found as Python finds them when the script runs: beside the importing file, and below the folder that the script's path
        begins in. Imports that are made by other means than the statement are not seen; files of data are not either.

        :raises JobError: when there is no such file
        """
        found, root = _locate(path)
        place = _place(found, root)
        self._add_module(found, root)
        return place

    def add(self, path: str) -> None:
        """Adds a script with its modules, or everything in a folder, which then lies in ``custom`` itself."""
        if os.path.isdir(path):
            self.add_file(path)
        elif path.endswith(".py"):
            self.add_script(path)
        else:
            found, root = _locate(path)
            self._put(_place(found, root), found)

    def add_class(self, kind: type) -> None:
        """Adds the module of a class, the packages that it is in, and the local modules that they import.

        Nothing is added for a class of ours, or of a module that is installed: sites have those.
        """
        source = source_of(kind)
        if source is None:
            return
        parts = module_name_of(kind).split(".")
        is_package = os.path.basename(source) == "__init__.py"
        root = source
        for _ in range(len(parts) + is_package):
            root = os.path.dirname(root)
        for count in range(1, len(parts)):
            package = os.path.join(root, *parts[:count], "__init__.py")
            if os.path.isfile(package):
                self._add_module(package, root)
        self._add_module(source, root)

    def add_file(self, path: str, folder: str = "") -> None:
        """Adds a file, or everything in a folder, without a look at imports."""
        if os.path.isdir(path):
            for inner, folders, names in os.walk(path):
                litter = _LITTER(inner, [*folders, *names])
                folders[:] = sorted(name for name in folders if name not in litter)
                for name in names:
                    if name not in litter:
                        source = os.path.join(inner, name)
                        self._put(_join(folder, os.path.relpath(source, path)), source)
            return
        found, _ = _locate(path)
        self._put(_join(folder, os.path.basename(found)), found)

    def write(self, folder: str) -> None:
        """Copies everything into a folder."""
        for place, source in sorted(self._sources.items()):
            target = os.path.join(folder, *place.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)

    def _put(self, place: str, source: str) -> bool:
        """Whether it is new."""
        before = self._sources.get(place)
        if before is None:
            self._sources[place] = os.path.abspath(source)
            return True
        if not os.path.samefile(before, source):
            raise JobError(f"{before} and {source} would both be custom/{place} of the job")
        return False

    def _add_module(self, source: str, root: str) -> None:
        if not self._put(_place(source, root), source):
            return
        for imported in _imported_files(source, root):
            self._add_module(imported, root)


def _locate(path: str) -> Tuple[str, str]:
    """A file, and the folder that its place is counted from."""
    main = _main_folder()
    for base in (os.getcwd(), main):
        found = os.path.normpath(os.path.join(base, path))
        if os.path.isfile(found):
            break
    else:
        is_one = os.path.realpath(main) == os.path.realpath(os.getcwd())
        raise JobError(f"there is no file {path}{f' in {main}' if is_one else f', neither in {os.getcwd()} nor in {main}'}")
    if not os.path.isabs(path) and _is_within(found, base):
        return found, base
    roots = [root for root in {os.getcwd(), main, *map(os.path.abspath, sys.path)} if _is_within(found, root)]
    return found, max(roots, key=len, default=os.path.dirname(found))


def _main_folder() -> str:
    """The folder of the script that defines the job."""
    return os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv and sys.argv[0] else os.getcwd()


def _is_within(path: str, root: str) -> bool:
    return path.startswith(os.path.join(root, ""))


def _place(source: str, root: str) -> str:
    return os.path.relpath(source, root).replace(os.sep, "/")


def _join(folder: str, name: str) -> str:
    place = os.path.normpath(os.path.join(folder, name)).replace(os.sep, "/")
    if place.startswith(("../", "/")):
        raise JobError(f"{folder} is no folder inside of a job")
    return place


def _imported_files(source: str, root: str) -> Iterator[str]:
    with open(source, "rb") as file:
        content = file.read()
    try:
        tree = ast.parse(content, filename=source)
    except SyntaxError as error:
        raise JobError(f"{source} is no Python: line {error.lineno}: {error.msg}") from error
    own = os.path.dirname(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of([own, root], alias.name.split("."), root)
        elif isinstance(node, ast.ImportFrom):
            base, parts = own, [] if node.module is None else node.module.split(".")
            for _ in range(node.level - 1):
                base = os.path.dirname(base)
            bases = [own, root] if node.level == 0 else [base]
            yield from _files_of(bases, parts, root)
            for alias in node.names:
                yield from _files_of(bases, [*parts, alias.name], root)


def _files_of(bases: List[str], parts: List[str], root: str) -> Iterator[str]:
    """The files that an import runs, of the first folder that has it: those of its packages, then its own."""
    if not parts or parts[0] in OURS:
        return
    for base in bases:
        if base != root and not _is_within(base, root):
            continue
        file = _module_file(os.path.join(base, *parts))
        if file is None:
            continue
        for count in range(1, len(parts)):
            package = os.path.join(base, *parts[:count], "__init__.py")
            if os.path.isfile(package):
                yield package
        yield file
        return


def _module_file(path: str) -> Optional[str]:
    return next((file for file in (path + ".py", os.path.join(path, "__init__.py")) if os.path.isfile(file)), None)
