"""docs/depots.md: what its tables say of engines is what the door answers."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
from typing import get_args

import pytest
from depot_shop import target

from dataos_dagster.depots.door import ReadRequest, WriteRequest
from dataos_dagster.depots.files.formats import FILE_FORMATS
from dataos_dagster.depots.manifest.section import SourceType
from dataos_dagster.depots.support import family_of
from dataos_dagster.engines.coordinates import CONNECTORS
from dataos_dagster.errors import DepotUnsupported

PAGE = (Path(__file__).parents[2] / "docs" / "depots.md").read_text("utf-8")
DATASET = "dataos://shopfiles:out/orders"


def table_below(heading: str) -> list[list[str]]:
    """Return the rows of the first table behind a heading."""
    lines = PAGE.partition(f"{heading}\n")[2].lstrip("\n").splitlines()
    rows = list(takewhile(lambda line: line.startswith("|"), lines))
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


FORMATS = [
    (word, sail == "yes", spark == "yes")
    for words, sail, spark, _ in table_below("### Formats of folders")
    for word in re.findall(r"`(\w+)`", words)
]


@pytest.mark.parametrize(("format_", "sail", "spark"), FORMATS, ids=[found[0] for found in FORMATS])
def test_a_format_is_read_and_written_where_the_page_says(sail_shop, format_, sail, spark):
    for request in (ReadRequest, lambda *args, **more: WriteRequest(*args, "append", **more)):
        if not (sail or spark):
            with pytest.raises(DepotUnsupported, match="are not read or written yet"):
                sail_shop.door.requirements([request(target(DATASET), format=format_)])
            continue
        vetoes = sail_shop.door.requirements([request(target(DATASET), format=format_)]).vetoes
        assert ("sail" not in vetoes, "spark" not in vetoes) == (sail, spark)


def test_every_format_is_on_the_page():
    assert {found[0] for found in FORMATS} == {*FILE_FORMATS.values(), "delta", "iceberg", "hudi"}


def test_every_source_type_is_on_the_page_and_read():
    named = {word.lower() for word in re.findall(r"`(?:type: )?(\w+)`", PAGE.partition("### Connectors")[0])}
    for source in get_args(SourceType):
        assert family_of(source, "db2") is not None
        assert source in named, source


def test_connectors_that_nobody_has_seen_load_are_those_that_the_page_names():
    named = re.search(r"but those of ([^:]+?) are untried", PAGE.replace("\n", " "))
    assert named is not None
    untried = {name for name, connector in CONNECTORS.items() if not connector.tried}
    assert untried == {word.lower() for word in re.split(r", | and ", named[1])}


def test_every_connector_that_the_page_installs_is_known():
    for names in re.findall(r"install spark --with ([\w,-]+)", PAGE):
        assert set(names.split(",")) <= CONNECTORS.keys()
