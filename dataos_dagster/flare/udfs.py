"""Functions of one's own for the SQL of a job: `udfs: {shout: {python: "texts:shout", returns: string}}`.

The function is taken from a module of the project's folder or from an installed package. One under `python` is called
with one row's values; one under `arrow` with pyarrow arrays of many rows, and returns one array as long as they are.
Modules of the project are sent to the engine as code; packages have to be installed where the engine runs.
"""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.errors import EngineError, StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.manifest.udfs import DeclarationError, is_foreign, read_declaration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType

    from dataos_dagster.engines.routing.constructs import Construct
    from dataos_dagster.engines.session import EngineSession
    from dataos_dagster.errors import Location
    from dataos_dagster.workflows.jobs import Job

# The modules that are loaded, where they are looked for, and which of them are sent as code belong to the process, and
# jobs run side by side.
_IMPORTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function that a job declares.

    Attributes:
        name: What SQL calls it.
        module: Where Python finds it.
        function: Its name there.
        by_batches: It takes and returns arrays of many rows.
        returns: Type of its values, in the spelling of `check_type`.
        location: Of its declaration.
    """

    name: str
    module: str
    function: str
    returns: str
    location: Location
    by_batches: bool = False


def in_python(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions that are not in Scala."""
    return {name: entry for name, entry in declared.items() if not is_foreign(entry)}


def plan_functions(job: Job, declared: Mapping[str, Any]) -> tuple[UserFunction, ...]:
    """Return the functions that a job declares; nothing is imported.

    Raises:
        StepError: One is declared wrongly; says where and what to write.
    """
    return tuple(_planned(job, name, entry) for name, entry in declared.items())


def _planned(job: Job, name: str, entry: Any) -> UserFunction:
    try:
        declared = read_declaration(name, entry)
    except DeclarationError as error:
        # A manifest that was checked has no such mistake.
        label, location = f"udfs {name!r}", job_location(job, "udfs", name, *error.path)
        raise StepError(f"{label}: {error}", step=label, hint=error.hint or None, location=location) from None
    return UserFunction(
        name,
        declared.module,
        declared.function,
        declared.returns,
        location=job_location(job, "udfs", name),
        by_batches=declared.by_batches,
    )


def without_own(constructs: Iterable[Construct], declared: Mapping[str, Any]) -> Iterator[Construct]:
    """Yield what SQL uses besides the job's own functions: the same Python runs on every engine."""
    own = {name.lower() for name in declared}
    return (construct for construct in constructs if construct.name.partition("/")[0].lower() not in own)


def register_functions(functions: Iterable[UserFunction], session: EngineSession, folder: Path) -> None:
    """Make functions callable from the session's SQL.

    Args:
        functions: Those of the job.
        session: Where the job runs.
        folder: Of the project, whose modules come first.

    Raises:
        StepError: A function cannot be imported.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that Spark's documentation gives it

    for planned in functions:
        with _IMPORTING, _first(folder, planned.module):
            function, module = _imported(planned, folder)
            with session.failures(planned.location), _sent_as_code(module, folder):
                # The session reads the type: PySpark itself would ask the thread's active session, which may be none.
                returns = session.spark.createDataFrame([], f"returned {planned.returns}").schema["returned"].dataType
                made = (
                    F.arrow_udf(_annotated(function), returns)
                    if planned.by_batches
                    else F.udf(function, returns, useArrow=True)
                )
                session.spark.udf.register(planned.name, made)


def _annotated(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of arrays that says so in its annotations, by which PySpark knows it."""
    import pyarrow as pa

    def of_arrays(*arrays: pa.Array) -> pa.Array:
        return function(*arrays)

    of_arrays.__annotations__ = {"arrays": pa.Array, "return": pa.Array}
    return of_arrays


def forget_functions(functions: Iterable[UserFunction], session: EngineSession) -> None:
    """Remove functions from a session: it is the next job's too."""
    for planned in functions:
        try:
            with session.failures():
                session.spark.sql(f"DROP TEMPORARY FUNCTION IF EXISTS {planned.name}").collect()
        except EngineError:
            # The engine is gone and its functions with it; what ended it is already on its way to the caller.
            return


def _imported(planned: UserFunction, folder: Path) -> tuple[Callable[..., Any], ModuleType]:
    top = planned.module.partition(".")[0]
    if top in sys.stdlib_module_names and _has(folder, top):
        raise StepError(
            f"udfs {planned.name!r}: Python has a module {top!r} itself, which would be taken for yours",
            step=f"udfs {planned.name!r}",
            hint="give yours another name",
            location=planned.location,
        )
    try:
        module = importlib.import_module(planned.module)
        function = getattr(module, planned.function)
    except Exception as error:
        # It is the user's code that runs here, and may fail in any way.
        said = f"{error}" if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: {error}"
        raise StepError(
            f"udfs {planned.name!r}: {planned.module}:{planned.function} cannot be imported: {said}",
            step=f"udfs {planned.name!r}",
            hint=_hint_of(error, folder),
            location=planned.location,
        ) from error
    return function, module


def _hint_of(error: Exception, folder: Path) -> str:
    if isinstance(error, KeyError):
        return "`envs` and secrets of the job are there when the function is called: read os.environ inside of it"
    return f"modules are looked for in {folder}, then among the installed packages"


@contextmanager
def _first(folder: Path, name: str) -> Iterator[None]:
    """Have a project's module found before one of the same name that is loaded: another project's, or a package's."""
    top = name.partition(".")[0]
    others = {}
    loaded = sys.modules.get(top)
    if loaded and not _is_within(loaded, folder) and _goes_before(folder, top, loaded):
        names = [each for each in sys.modules if each.partition(".")[0] == top]
        others = {each: sys.modules.pop(each) for each in names}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if others:
            for each in [each for each in sys.modules if each.partition(".")[0] == top]:
                del sys.modules[each]
            sys.modules.update(others)


def _goes_before(folder: Path, top: str, loaded: ModuleType) -> bool:
    """Return whether a project has a module of this name; a folder of plain modules gives way to a package."""
    if top in sys.stdlib_module_names:
        return False
    is_plain_folder = (folder / top).is_dir() and getattr(loaded, "__file__", None) is None
    return _has(folder, top) or is_plain_folder


def _has(folder: Path, top: str) -> bool:
    return (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()


def _is_within(module: ModuleType, folder: Path) -> bool:
    place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return place is not None and Path(place).resolve().is_relative_to(folder.resolve())


@contextmanager
def _sent_as_code(module: ModuleType, folder: Path) -> Iterator[None]:
    """Have a module of the project pickled with its code: engines do not have the project on their path."""
    from pyspark import cloudpickle

    top = sys.modules[module.__name__.partition(".")[0]]
    if not _is_within(module, folder):
        yield
        return
    cloudpickle.register_pickle_by_value(top)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(top)
