"""Broken manifests in Dagster: one failing check for each file, the rest of the location works.

A check that was never evaluated has no state, so a sensor reports each failure once for each content of the file; the
text stands in the asset's metadata from the moment the location is loaded. Running the check reads the manifests again.
"""

# No postponed annotations here: Dagster compares that of a parameter `context` with its classes.

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

import dagster as dg

from dataos_dagster.manifests.diagnostics import Diagnostic
from dataos_dagster.manifests.project import Project

PREFIX = "dataos_manifests"
CHECK = "manifest_is_valid"
_MARKS = re.compile(r"[\\`*_\[\]<>]")


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


def build_quarantine(label: str, project: Project, read_again: Callable[[], Project]) -> Quarantine:
    """Return an asset and a check for each broken file, and the sensor that reports the failures.

    Args:
        label: Tells the projects of one location apart in names.
        project: As it was read when the location was loaded.
        read_again: Reads the project as it is now.
    """
    broken = broken_files(project)
    if not broken:
        return Quarantine()
    keys = {file: manifest_key(file) for file in broken}
    return Quarantine(
        assets=tuple(_spec(keys[file], project.root / file, problems) for file, problems in broken.items()),
        checks=(_checks(label, keys, read_again),),
        sensors=(_sensor(label, {keys[file]: problems for file, problems in broken.items()}),),
    )


def manifest_key(file: str) -> dg.AssetKey:
    """Return the asset key of a manifest file: its path behind one word of ours."""
    return dg.AssetKey([PREFIX, *(part for part in PurePosixPath(file).parts if part != "/")])


def _spec(key: dg.AssetKey, file: Path, problems: Iterable[Diagnostic]) -> dg.AssetSpec:
    shown = tuple(problems)
    reference = dg.LocalFileCodeReference(file_path=str(file), line_number=shown[0].line, label=file.name)
    return dg.AssetSpec(
        key,
        description=f"This file has errors and is left out as far as they reach. {shown[0]}",
        group_name=PREFIX,
        metadata={
            "diagnostics": dg.MetadataValue.md(_markdown(shown)),
            "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference]),
        },
    )


def _checks(label: str, keys: Mapping[str, dg.AssetKey], read_again: Callable[[], Project]) -> dg.AssetChecksDefinition:
    specs = [dg.AssetCheckSpec(CHECK, asset=key, description="The manifest has no errors.") for key in keys.values()]

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
                    metadata=_metadata(broken.get(file, ())),
                )

    return manifests_are_valid


def _sensor(label: str, problems: Mapping[dg.AssetKey, tuple[Diagnostic, ...]]) -> dg.SensorDefinition:
    digests = {key.to_user_string(): _digest(found) for key, found in problems.items()}

    def report(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        told: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
        news = [key for key in problems if told.get(key.to_user_string()) != digests[key.to_user_string()]]
        if not news:
            return dg.SkipReason("every broken manifest is reported")
        events = [
            dg.AssetCheckEvaluation(asset_key=key, check_name=CHECK, passed=False, metadata=_metadata(problems[key]))
            for key in news
        ]
        return dg.SensorResult(asset_events=events, cursor=json.dumps(digests))

    return dg.SensorDefinition(
        name=f"{PREFIX}__{label}__report",
        evaluation_fn=report,
        description="Reports broken manifests as failed checks, once for each content.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )


def _metadata(problems: tuple[Diagnostic, ...]) -> dict[str, Any]:
    if not problems:
        return {}
    return {"diagnostics": dg.MetadataValue.md(_markdown(problems)), "first": str(problems[0])}


def _markdown(problems: Iterable[Diagnostic]) -> str:
    return "\n\n".join(_paragraph(problem) for problem in problems)


def _paragraph(problem: Diagnostic) -> str:
    lines = [f"**{problem.location}** {problem.severity} `{problem.code}`: {_literal(problem.message)}"]
    if problem.hint:
        lines.append(f"*{_literal(problem.hint)}*")
    if problem.snippet:
        lines.append(f"```\n{problem.snippet.rstrip()}\n```")
    return "\n\n".join(lines)


def _literal(text: str) -> str:
    """Return text that Markdown shows as it is: cron expressions and SQL are full of its marks."""
    return _MARKS.sub(r"\\\g<0>", text)


def _digest(problems: Iterable[Diagnostic]) -> str:
    return blake2b("\n".join(str(problem) for problem in problems).encode(), digest_size=8).hexdigest()
