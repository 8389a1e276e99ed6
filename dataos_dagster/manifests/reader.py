"""From files to documents: limits, composing, and what is odd about what was composed.

One broken file never hides another: whatever is wrong with a file becomes diagnostics, and nothing is raised.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dataos_dagster.manifests.composing import (
    DEEPEST,
    MOST_ALIASED_VALUES,
    SourceText,
    TooDeep,
    TooManyAliases,
    build,
    check_depth,
    nodes_of,
)
from dataos_dagster.manifests.diagnostics import Diagnostic, Position, Range, Severity
from dataos_dagster.manifests.document import Document, digest_of, encode
from dataos_dagster.manifests.misread_lines import misread_lines
from dataos_dagster.manifests.misread_values import diagnose_misread, range_of_node
from dataos_dagster.manifests.snippets import snippet
from dataos_dagster.manifests.source import Unreadable, decode, read_bytes, refused_character
from dataos_dagster.manifests.syntax.diagnosis import diagnose

if TYPE_CHECKING:
    from pathlib import Path

    from dataos_dagster.manifests.cache import DocumentCache
    from dataos_dagster.settings import LimitSettings

# For a character that libyaml refuses and this package's own list does not name.
_STRAY = Unreadable("control-character", "a character may not stand in YAML", "delete what is not printable text")

# It is not known whether there is anything to read.
_DOUBTFUL = frozenset({"folder-unreadable"})

Reading = tuple[list[Document], list[Diagnostic]]


def read_file(file: Path, *, name: str, limits: LimitSettings, cache: DocumentCache | None = None) -> Reading:
    """Return the documents of a file and what is wrong with it; never raises.

    A file that is missing, unreadable, too large, binary or not YAML has no documents and at least one error. What is
    only odd (a key twice, braces without quotes) is a warning, and the document is returned all the same.

    Args:
        file: The file.
        name: Path to display: relative to the project when the file is inside.
        limits: Bounds on size and depth.
        cache: Where documents of files with the same content are kept; see `DocumentCache`.
    """
    content = read_bytes(file, limits.file_bytes)
    if isinstance(content, Unreadable):
        return [], [_unreadable(content, name, None)]
    digest = digest_of(content)
    if cache is not None and (kept := cache.find(digest, file, name)) is not None:
        return kept, []
    text = decode(content)
    if isinstance(text, Unreadable):
        return [], [_unreadable(text, name, None)]
    documents, diagnostics = _read(text, file, name, digest, limits)
    if cache is not None and not diagnostics:
        cache.keep(digest, documents)
    return documents, diagnostics


def read_text(text: str, *, file: Path, name: str, limits: LimitSettings) -> Reading:
    """Return the documents of a text that stands, or will stand, in a file; see `read_file`."""
    return _read(text, file, name, digest_of(text.encode("utf-8", "surrogatepass")), limits)


def _read(text: str, file: Path, name: str, digest: bytes, limits: LimitSettings) -> Reading:
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    try:
        check_depth(text, limits.depth)
        source = SourceText(text)
        for index, node in enumerate(node for root in nodes_of(text) for node in _manifests(root)):
            if not isinstance(node, MappingNode):
                diagnostics.append(_not_a_mapping(node, name, text))
                continue
            composed = build(node, source, limits)
            document = Document(file, name, index, digest, composed.positions, encode(composed.data))
            documents.append(document)
            diagnostics += [diagnose_misread(misread, document, text) for misread in composed.misread]
    except TooDeep as deep:
        return [], [_too_deep(deep, name, text, limits.depth)]
    except TooManyAliases as bomb:
        return [], [_alias_bomb(bomb, name, text)]
    except yaml.reader.ReaderError:
        return [], [_unreadable(refused_character(text) or _STRAY, name, text)]
    except yaml.MarkedYAMLError as error:
        return [], diagnose(text, error, name)
    if not documents and not diagnostics:
        return [], [_empty(name)]
    return documents, diagnostics + misread_lines(text, documents, name)


def _manifests(root: Node) -> list[Node]:
    """Return the manifests of one YAML document: itself, its items when it is a list, none when it is empty."""
    if isinstance(root, ScalarNode) and root.value == "" and not root.style:
        return []
    return root.value if isinstance(root, SequenceNode) else [root]


def _not_a_mapping(node: Node, name: str, text: str) -> Diagnostic:
    what = "a list" if isinstance(node, SequenceNode) else "a text or number"
    return _error(
        "not-a-mapping",
        name,
        text,
        range_of_node(node),
        f"a manifest is a mapping of keys to values, and this is {what}",
        "begin with lines such as 'name: orders', 'version: v1', 'type: workflow', with a space behind each ':'",
    )


def _too_deep(deep: TooDeep, name: str, text: str, limit: int) -> Diagnostic:
    place = _point(deep.line, deep.column)
    if deep.recursive:
        return _error(
            "recursive-alias",
            name,
            text,
            place,
            "an alias stands inside its own anchor",
            "write the values out instead",
        )
    return _error(
        "too-deep",
        name,
        text,
        place,
        f"values nest deeper than {min(limit, DEEPEST)} levels",
        "check for brackets that are not closed; the bound is limits.depth in dataos.yaml",
    )


def _alias_bomb(bomb: TooManyAliases, name: str, text: str) -> Diagnostic:
    return _error(
        "alias-bomb",
        name,
        text,
        _point(bomb.line, bomb.column),
        f"aliases expand to more than {MOST_ALIASED_VALUES:,} values",
        "write the values out, or use fewer aliases of aliases",
    )


def _unreadable(problem: Unreadable, name: str, text: str | None) -> Diagnostic:
    place = _point(problem.line, problem.column)
    found = _error(problem.code, name, text, place, problem.message, problem.hint)
    return replace(found, severity=Severity.WARNING) if problem.code in _DOUBTFUL else found


def _empty(name: str) -> Diagnostic:
    place = _point(1, 1)
    found = _error("empty-file", name, None, place, "the file holds no manifest", "write one, or delete the file")
    return replace(found, severity=Severity.WARNING)


def _point(line: int, column: int) -> Range:
    return Range(Position(line, column), Position(line, column + 1))


def _error(code: str, name: str, text: str | None, place: Range, message: str, hint: str) -> Diagnostic:
    shown = snippet(text, place) if text else None
    return Diagnostic.at(place, code, Severity.ERROR, name, message, hint, snippet=shown)
