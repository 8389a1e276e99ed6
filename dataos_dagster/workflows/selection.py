"""Which jobs somebody means: `workflow`, `workflow/job`, `workspace/workflow/job` or an address.

A `+` in front adds everything that the jobs wait for, a `+` behind everything that waits for them. An address means
the jobs that write the dataset; with a `+` behind it is enough that jobs read it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dataos_dagster.address import Address
from dataos_dagster.errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataos_dagster.workflows.graph import JobGraph

_ID_LEVELS = 3


def select(graph: JobGraph, expressions: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the jobs that any of the expressions means, in running order; all without expressions.

    Jobs whose stack is not yet run may be among them: the caller says what becomes of those.

    Raises:
        SelectionError: An expression means no job. The hint names what is close to it.
        AddressError: An expression begins like an address and is none.
    """
    texts = tuple(expressions)
    if not texts:
        return graph.order()
    return graph.order(set().union(*(_resolve(graph, text) for text in texts)))


def _resolve(graph: JobGraph, text: str) -> set[str]:
    with_upstream, with_downstream = text.startswith("+"), text.endswith("+")
    name = text[with_upstream : len(text) - with_downstream].strip()
    if "://" in name:
        named, readers = _by_address(graph, name)
    else:
        named, readers = _by_name(graph, name), set()
    if not named and not (with_downstream and readers):
        raise _nothing(graph, text, name, has_readers=bool(readers))
    found = set(named)
    if with_upstream:
        found |= graph.ancestors(named)
    if with_downstream:
        found |= readers | graph.descendants(named | readers)
    return found


def _by_address(graph: JobGraph, name: str) -> tuple[set[str], set[str]]:
    key = Address.parse(name).key
    return set(graph.writers.get(key, ())), set(graph.readers.get(key, ()))


def _by_name(graph: JobGraph, name: str) -> set[str]:
    parts = name.split("/")
    if len(parts) == _ID_LEVELS:
        return {name} & graph.nodes.keys()
    if len(parts) == _ID_LEVELS - 1:
        return {node.job.id for node in graph.nodes.values() if node.job.label == name}
    return {job_id for workflow, members in graph.members.items() if _names(workflow, name) for job_id in members}


def _names(identifier: str, name: str) -> bool:
    """Tell whether `workflow:v1:name:workspace` is the workflow of that name."""
    return identifier.split(":")[2] == name


def _nothing(graph: JobGraph, text: str, name: str, *, has_readers: bool) -> SelectionError:
    if has_readers:
        return SelectionError(f"{text!r}: no job writes {name}", hint=f"'{name}+' selects the jobs that read it")
    labels = {node.job.label for node in graph.nodes.values()}
    known = sorted(labels | {label.partition("/")[0] for label in labels})
    if "://" in name:
        addresses = sorted({str(address) for node in graph.nodes.values() for address in node.writes})
        close = difflib.get_close_matches(name, addresses, n=3)
    else:
        close = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "write workflow, workflow/job or a dataos:// address"
    return SelectionError(f"{text!r} selects no job", hint=hint)
