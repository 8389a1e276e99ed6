"""Recognise at a glance the jobs in which there is nothing to rewrite.

Looking for each old form in each job would be most of the work of reading a project, and most jobs have none. So a job
whose keys are all known, where old forms occur, is left alone. What this says no to is only looked at more closely: it
may err on that side.
"""

from __future__ import annotations

from typing import Any

_SPEC = frozenset({"driver", "executor", "sparkConf", "job", "configs"})
_JOB = frozenset(
    {
        "explain",
        "logLevel",
        "showPreviewLines",
        "inputs",
        "steps",
        "outputs",
        "assertions",
        "profile",
        "udfs",
        "variables",
    }
)
_INPUT = frozenset({"name", "dataset", "query", "format", "isStream", "schemaType", "schemaString", "incremental"})
_STEP = frozenset({"sequence"})
_ITEM = frozenset({"name", "sql", "doc", "classpath", "params", "functions", "commands"})
_OUTPUT = frozenset(
    {"name", "dataset", "format", "driver", "title", "description", "tags", "options", "columnTags", "assertions"}
)
_OPTIONS = frozenset({"saveMode", "extraOptions", "sort", "compressionType", "partitionBy", "iceberg"})
_INPUT_OPTIONS_OLD = frozenset({"saveMode", "extraOptions"})
_MISSPELT_PROPERTY = "write.metadatacompression-codec"


def is_present_form(spec: dict[str, Any]) -> bool:
    """Return whether a `stackSpec` holds nothing that might have to be rewritten."""
    job = spec.get("job")
    return (
        spec.keys() <= _SPEC
        and isinstance(job, dict)
        and job.keys() <= _JOB
        and all(_is_input(item) for item in _items(job, "inputs"))
        and all(_is_step(step) for step in _items(job, "steps"))
        and all(_is_output(output) for output in _items(job, "outputs"))
    )


def _items(mapping: dict[str, Any], key: str) -> list[Any]:
    found = mapping.get(key)
    return found if isinstance(found, list) else [] if found is None else [found]


def _is_input(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    if item.keys() <= _INPUT:
        return True
    options = item.get("options")
    return item.keys() <= _INPUT | {"options"} and isinstance(options, dict) and _INPUT_OPTIONS_OLD.isdisjoint(options)


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and step.keys() <= _STEP
        and all(isinstance(item, dict) and _is_sequence_item(item) for item in _items(step, "sequence"))
    )


def _is_sequence_item(item: dict[str, Any]) -> bool:
    return item.keys() <= _ITEM and not any(isinstance(call, str) for call in _items(item, "functions"))


def _is_output(output: Any) -> bool:
    if not isinstance(output, dict) or not output.keys() <= _OUTPUT or output.get("name") is None:
        return False
    dataset, options = output.get("dataset"), output.get("options")
    if not isinstance(dataset, str) or dataset.partition("?")[0].endswith("/"):
        return False
    return options is None or (isinstance(options, dict) and _are_options(options))


def _are_options(options: dict[str, Any]) -> bool:
    iceberg = options.get("iceberg")
    properties = iceberg.get("properties") if isinstance(iceberg, dict) else None
    return options.keys() <= _OPTIONS and not (isinstance(properties, dict) and _MISSPELT_PROPERTY in properties)
