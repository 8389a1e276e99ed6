"""Other ways to write a manifest that mean the same."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Words whose letter case does not matter.
_ANY_CASE = ("format", "saveMode", "triggerMode", "schemaType", "stack")


class _Loader(yaml.CSafeLoader):
    """Leaves moments as they are written: dumped again they would be spelt otherwise."""


_Loader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents_of(text: str) -> list[Any]:
    """Return the documents of a file as plain values."""
    return [document for document in yaml.load_all(text, _Loader) if document is not None]


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(each) for key, each in reversed(value.items())}
    return [_backwards(each) for each in value] if isinstance(value, list) else value


def _quoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quoted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_quoted(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield value
    for child in list(children):
        yield from _mappings(child)


def _each(change: Callable[[dict[str, Any]], None]) -> Callable[[Any], Any]:
    """Return a function that changes a copy of each mapping of a manifest."""

    def changed(document: Any) -> Any:
        document = copy.deepcopy(document)
        for mapping in _mappings(document):
            change(mapping)
        return document

    return changed


def _is_flare(job: dict[str, Any]) -> bool:
    return str(job.get("stack", "")).startswith("flare")


def _swap_section(job: dict[str, Any]) -> None:
    if _is_flare(job) and "stackSpec" in job:
        job["flare"] = job.pop("stackSpec")
    elif _is_flare(job) and "flare" in job:
        job["stackSpec"] = job.pop("flare")


def _without_version(job: dict[str, Any]) -> None:
    if _is_flare(job):
        job["stack"] = "flare+sql:1.0"


def _upper_case(mapping: dict[str, Any]) -> None:
    for key in _ANY_CASE:
        if isinstance(mapping.get(key), str) and "$" not in mapping[key]:
            mapping[key] = mapping[key].upper()


def _single_items(mapping: dict[str, Any]) -> None:
    for key in ("tags", "dependencies", "inputs", "outputs", "steps", "sequence", "functions", "actions"):
        items = mapping.get(key)
        if isinstance(items, list) and len(items) == 1 and (isinstance(items[0], dict) or key == "tags"):
            mapping[key] = items[0]


def _one_conf(spec: dict[str, Any]) -> None:
    if isinstance(spec.get("sparkConf"), list):
        spec["sparkConf"] = {key: value for entry in spec["sparkConf"] for key, value in entry.items()}


def _dumped(documents: list[Any], **style: Any) -> str:
    return yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, width=10_000, **style)


def _changed(change: Callable[[Any], Any]) -> Callable[[str], str]:
    return lambda text: _dumped([change(document) for document in documents_of(text)])


# What is done to the text of a file.
SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "keys in the other order": _changed(_backwards),
    "numbers and booleans in quotes": _changed(_quoted),
    "the other section": _changed(_each(_swap_section)),
    "another version": _changed(_each(_without_version)),
    "words in upper case": _changed(_each(_upper_case)),
    "one item without a list": _changed(_each(_single_items)),
    "Spark properties in one mapping": _changed(_each(_one_conf)),
    "flow style": lambda text: _dumped(documents_of(text), default_flow_style=True),
    "wide indents": lambda text: _dumped(documents_of(text), indent=7),
    "JSON": lambda text: "\n---\n".join(json.dumps(document) for document in documents_of(text)),
    "a list of manifests": lambda text: _dumped([documents_of(text)]),
    "marks of documents": lambda text: f"---\n{text}\n...\n",
    "lines of Windows": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: f"\ufeff{text}",
}
