"""Broken manifests in Dagster: one failing check for each file and each job that cannot run, the rest works.

A check that was never evaluated has no state, so a sensor reports each failure once for each content of the file; the
text stands in the asset's metadata from the moment the location is loaded. Running the check of a file reads the
manifests again; that of a job belongs to the job's op, which evaluates it when it is materialized.
"""

# No postponed annotations here: Dagster compares that of a parameter `context` with its classes.

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import dagster as dg

from dataos_dagster.manifests.diagnostics import Diagnostic, Severity
from dataos_dagster.manifests.project import Project
from dataos_dagster.workflows.graph import JobNode
from dataos_dagster.workflows.metadata import problem_metadata
from dataos_dagster.workflows.translator import MANIFEST_CHECK as CHECK

PREFIX = "dataos_manifests"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What Dagster shows of broken manifests."""

    assets: tuple[dg.AssetSpec, ...] = ()
    checks: tuple[dg.AssetChecksDefinition, ...] = ()
    sensors: tuple[dg.SensorDefinition, ...] = ()


def broken_files(project: Project) -> dict[str, tuple[Diagnostic, ...]]:
    """Return the files that have errors, by displayed path, with all that is to say about each."""
    found: dict[str, list[Diagnostic]] = {}
    for diagnostic in project.diagnostics:
        found.setdefault(diagnostic.file, []).append(diagnostic)
    broken = {diagnostic.file for diagnostic in project.errors}
    return {file: tuple(diagnostics) for file, diagnostics in found.items() if file in broken}


def build_quarantine(
    label: str,
    project: Project,
    read_again: Callable[[], Project],
    jobs: Iterable[JobNode],
    shows: Callable[[Path], bool] | None,
) -> Quarantine:
    """Return an asset and a check for each broken file, and the sensor that reports what fails.

    Args:
        label: Tells the projects of one location apart in names.
        project: As it was read when the location was loaded.
        read_again: Reads the project as it is now.
        jobs: The jobs of this location.
        shows: Tells the files that are shown here when they are broken; None shows none, because of several
            locations of a project one shows them all.
    """
    found = broken_files(project).items() if shows else ()
    broken = {file: problems for file, problems in found if shows and shows(project.root / file)}
    keys = {file: manifest_key(file) for file in broken}
    problems = {keys[file]: broken[file] for file in broken}
    problems |= {dg.AssetKey(node.keys[0]): node.blocked for node in jobs if node.is_run and node.blocked}
    return Quarantine(
        assets=tuple(_spec(keys[file], project.root / file, broken[file]) for file in broken),
        checks=(_checks(label, keys, read_again),) if broken else (),
        sensors=(_sensor(label, problems),) if problems else (),
    )


def manifest_key(file: str) -> dg.AssetKey:
    """Return the asset key of a manifest file: its path behind one word of ours."""
    return dg.AssetKey([PREFIX, *(part for part in PurePosixPath(file).parts if part != "/")])


def _spec(key: dg.AssetKey, file: Path, problems: Iterable[Diagnostic]) -> dg.AssetSpec:
    shown = tuple(problems)
    worst = next(problem for problem in shown if problem.severity is Severity.ERROR)
    reference = dg.LocalFileCodeReference(file_path=str(file), line_number=worst.line, label=file.name)
    return dg.AssetSpec(
        key,
        description=f"This file has errors and is left out as far as they reach. {worst}",
        group_name=PREFIX,
        metadata={
            "diagnostics": problem_metadata(shown)["diagnostics"],
            "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference]),
        },
    )


def _checks(label: str, keys: Mapping[str, dg.AssetKey], read_again: Callable[[], Project]) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(
            CHECK, asset=key, description="Whether the manifest can be used: it fails while the file has errors."
        )
        for key in keys.values()
    ]

    @dg.multi_asset_check(name=f"{PREFIX}__{label}", specs=specs, can_subset=True)
    def manifests_are_valid(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        broken = broken_files(read_again())
        wanted = {check.asset_key for check in context.selected_asset_check_keys}
        for file, key in keys.items():
            if key in wanted:
                yield dg.AssetCheckResult(
                    asset_key=key,
                    check_name=CHECK,
                    passed=file not in broken,
                    metadata=problem_metadata(broken.get(file, ())),
                )

    return manifests_are_valid


def _sensor(label: str, problems: Mapping[dg.AssetKey, tuple[Diagnostic, ...]]) -> dg.SensorDefinition:
    digests = {key.to_user_string(): _digest(found) for key, found in problems.items()}

    def report(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        told: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        news = [key for key in problems if told.get(key.to_user_string()) != digests[key.to_user_string()]]
        if not news:
            return dg.SkipReason("everything that is broken is reported")
        events = [
            dg.AssetCheckEvaluation(
                asset_key=key, check_name=CHECK, passed=False, metadata=problem_metadata(problems[key])
            )
            for key in news
        ]
        return dg.SensorResult(asset_events=events, cursor=json.dumps(digests))

    return dg.SensorDefinition(
        name=f"{PREFIX}__{label}__report",
        evaluation_fn=report,
        description="Reports broken manifests and jobs as failed checks, once for each content.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )


def _digest(problems: Iterable[Diagnostic]) -> str:
    return blake2b("\n".join(str(problem) for problem in problems).encode(), digest_size=8).hexdigest()
