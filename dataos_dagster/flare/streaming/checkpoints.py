"""Where a stream remembers how far it is, and whether what is remembered there is its own.

Spark's checkpoint is a folder: `metadata` (the id of the query), `offsets` (what each micro-batch reads), `commits`
(which are done) and `state`. Spark starts from one of another query without a question, and then fails in the middle of
nowhere or, worse, goes on from offsets of another topic. So a file of ours in the same folder says whose it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from dataos_dagster.address import Address
from dataos_dagster.depots.requests import Target
from dataos_dagster.errors import AddressError, StepError
from dataos_dagster.flare.locations import job_location
from dataos_dagster.flare.targets import standalone_path
from dataos_dagster.manifests.locations import is_address
from dataos_dagster.naming import slug

if TYPE_CHECKING:
    from dataos_dagster.depots.storage import Place
    from dataos_dagster.errors import Location
    from dataos_dagster.flare.manifest import FlareSpec
    from dataos_dagster.flare.outputs import PlannedOutput
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.settings import Settings
    from dataos_dagster.workflows.jobs import Job

OWNER_FILE = "_dataos_stream.json"
FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class Owner:
    """The stream that a checkpoint belongs to.

    Attributes:
        job: `workspace/workflow/job`.
        view: The view that is written.
        sources: What it reads as streams, in order.
        dataset: What it writes.
    """

    job: str
    view: str
    sources: tuple[str, ...]
    dataset: str

    @classmethod
    def parse(cls, text: bytes) -> Self | None:
        """Return the owner that a file names, or None when it names none."""
        try:
            found = json.loads(text)
            return cls(found["job"], found["view"], tuple(found["sources"]), found["dataset"])
        except (ValueError, KeyError, TypeError):
            return None

    def differs_in(self, other: Owner) -> str | None:
        """Return what makes the other one another stream; the name of a job may change, what it reads may not."""
        if self.sources != other.sources:
            return f"it reads {', '.join(self.sources) or 'nothing'}"
        if self.dataset != other.dataset:
            return f"it writes {self.dataset}"
        return f'it writes the view "{self.view}"' if self.view != other.view else None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The folder of one query.

    Attributes:
        target: What the manifest names, or the folder of ours that it gets without.
        location: Where the manifest names it; of the output when it does not.
        note: What was decided that the manifest does not say.
    """

    target: Target
    location: Location
    note: str | None = None


def checkpoint_of(job: Job, spec: FlareSpec, output: PlannedOutput, index: int, settings: Settings) -> Checkpoint:
    """Return the checkpoint of an output's query.

    The output's `options` come first, then the output, then `streaming`. Several outputs cannot share one, so that one
    for the whole job gets a folder below it for each output.

    Raises:
        StepError: It is no address and no path.
    """
    entry = spec.job.outputs[index]
    written = entry.options.checkpoint_location
    path: DocumentPath = ("outputs", index, "options", "checkpointLocation")
    below: tuple[str, ...] = ()
    if written is None:
        written, path = entry.checkpoint_location, ("outputs", index, "checkpointLocation")
    if written is None and spec.job.streaming is not None:
        written, path = spec.job.streaming.checkpoint_location, ("streaming", "checkpointLocation")
        below = (_own_folder(spec, index),) if len(spec.job.outputs) > 1 else ()
    if written is None:
        folder = settings.make_state_folder() / FOLDER / job.workspace / job.workflow.name / job.name
        place = folder / f"{index}_{slug(entry.name)}"
        note = f"{output.label}: no `checkpointLocation` is given, so offsets are kept in {place}"
        return Checkpoint(Target(path=str(place)), output.location, note)
    return Checkpoint(_target(written, below, job, path, settings), job_location(job, *path))


def _own_folder(spec: FlareSpec, index: int) -> str:
    """Return the folder of an output below a checkpoint that stands for all: its view, told apart where that is not."""
    name = spec.job.outputs[index].name
    same = [output for output in spec.job.outputs if output.name == name]
    return slug(name) if len(same) == 1 else f"{slug(name)}_{index}"


def _target(written: str, below: tuple[str, ...], job: Job, path: DocumentPath, settings: Settings) -> Target:
    if not is_address(written):
        return Target(path="/".join((standalone_path(written, settings), *below)))
    try:
        address = Address.parse(written)
    except AddressError as error:
        raise StepError(
            f"checkpointLocation: {error.message}",
            step="streaming",
            location=job_location(job, *path),
            hint=error.hint or "write an address such as dataos://lakehouse:sys01/checkpoints/orders, or a path",
        ) from None
    for part in below:
        address = address.child(part)
    return Target(address=address)


def take(place: Place, owner: Owner, location: Location) -> None:
    """Make a checkpoint a stream's own.

    Raises:
        StepError: It is another stream's; says whose.
    """
    found = _owner(place)
    if found is not None:
        difference = found.differs_in(owner)
        if difference is not None:
            raise StepError(
                f"the checkpoint {place} is that of another stream ({found.job}): {difference}",
                step="streaming",
                location=location,
                hint="give this stream a folder of its own; to begin anew, delete the folder: everything that the "
                "source still has is read again then",
            )
        return
    foreign = _topics(place) - {source.rpartition("/")[2] for source in owner.sources}
    if foreign:
        raise StepError(
            f"the checkpoint {place} holds offsets of {', '.join(sorted(foreign))}, which this stream does not read",
            step="streaming",
            location=location,
            hint="give this stream a folder of its own",
        )
    place.join(OWNER_FILE).write(json.dumps(asdict(owner), indent=2).encode())


def unfinished_batch(place: Place) -> int | None:
    """Return the micro-batch of a Kafka stream that was planned and whose end is not noted, or None."""
    planned, done = (_last_number(place, folder) for folder in ("offsets", "commits"))
    if planned is None or (done is not None and done >= planned) or not _topics(place):
        return None
    return planned


def _last_number(place: Place, folder: str) -> int | None:
    names = (info.base_name for info in place.join(folder).entries())
    return max((int(name) for name in names if name.isdigit()), default=None)


def _owner(place: Place) -> Owner | None:
    file = place.join(OWNER_FILE)
    return Owner.parse(file.read()) if file.kind() == "file" else None


def _topics(place: Place) -> set[str]:
    """Return the Kafka topics in the newest offsets of a checkpoint that this package has not made."""
    newest = _last_number(place, "offsets")
    if newest is None:
        return set()
    lines = place.join("offsets", str(newest)).read().decode().splitlines()
    topics: set[str] = set()
    for line in lines[2:]:  # a version and the batch's own metadata stand before the sources
        try:
            offsets = json.loads(line)
        except ValueError:
            continue
        if isinstance(offsets, dict) and all(isinstance(partitions, dict) for partitions in offsets.values()):
            topics |= set(offsets)
    return topics
