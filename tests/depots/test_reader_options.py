"""Options of readers and writers: each is followed on Sail, sends the job to Spark, or is told of; none is ignored in silence."""

from __future__ import annotations

import pytest
from depot_shop import target

from dataos_dagster.depots.copied_options import COPIED_TO_FILES
from dataos_dagster.depots.door import ReadRequest, WriteRequest

ADDRESS = "dataos://shopfiles:in/a"
# Format, option and value as the documentation of Flare names them, and whether Sail follows it.
READ = [
    ("csv", "header", "true", True),
    ("csv", "inferSchema", "true", True),
    ("csv", "delimiter", ";", True),
    ("csv", "mode", "FAILFAST", True),
    ("csv", "timestampFormat", "yyyy-MM-dd HH:mm", True),
    ("csv", "timestampFormat", "GGG yyyy", False),
    ("csv", "enforceSchema", "true", True),
    ("csv", "enforceSchema", "false", False),
    ("csv", "multiLine", "true", False),
    ("csv", "nullValue", "NA", True),
    ("csv", "encoding", "latin1", False),
    ("json", "primitivesAsString", "true", True),
    ("json", "multiLine", "true", True),
    ("json", "mode", "DROPMALFORMED", True),
    ("json", "prefersDecimal", "true", False),
    ("json", "allowComments", "true", False),
    ("json", "timestampFormat", "yyyy", False),
    ("json", "dateFormat", "yyyy", False),
    ("parquet", "mergeSchema", "true", False),
    ("parquet", "datetimeRebaseMode", "LEGACY", False),
    ("text", "wholetext", "true", True),
    ("text", "lineSep", "|", True),
    ("text", "encoding", "latin1", False),
    ("avro", "positionalFieldMatching", "true", False),
    ("orc", "mergeSchema", "true", False),
    ("xml", "rowTag", "order", False),
]
WRITTEN = [
    ("csv", "sep", ";", True),
    ("csv", "quoteAll", "true", False),
    ("json", "ignoreNullFields", "false", False),
    ("text", "lineSep", "|", False),
    ("parquet", "compression", "zstd", True),
    ("parquet", "parquet.bloom.filter.enabled", "true", False),
]


@pytest.mark.parametrize(("format_", "option", "value", "followed"), READ)
def test_an_option_of_a_reader_is_followed_or_sends_the_job_to_spark(sail_shop, format_, option, value, followed):
    request = ReadRequest(target(ADDRESS), format=format_, options={option: value})
    vetoes = sail_shop.door.requirements([request]).vetoes.get("sail", ())
    assert (not vetoes) is followed
    assert all(ADDRESS in reason for reason in vetoes)


@pytest.mark.parametrize(("format_", "option", "value", "followed"), WRITTEN)
def test_an_option_of_a_writer_is_followed_or_sends_the_job_to_spark(sail_shop, format_, option, value, followed):
    request = WriteRequest(target(ADDRESS), "append", format=format_, options={option: value})
    vetoes = sail_shop.door.requirements([request]).vetoes.get("sail", ())
    assert (not vetoes) is followed
    assert all(option.lower() in reason for reason in vetoes)


@pytest.mark.parametrize(
    ("format_", "followed"), [("parquet", ()), ("text", ()), ("json", ()), ("csv", ("header", "sep", "delimiter"))]
)
def test_options_that_were_copied_along_change_nothing(sail_shop, format_, followed):
    copied = {"format": format_, "options": dict.fromkeys(COPIED_TO_FILES - {*followed}, "true")}
    address = f"dataos://shopfiles:out/{format_}"
    for request in (WriteRequest(target(address), "append", **copied), ReadRequest(target(address), **copied)):
        assert not sail_shop.door.requirements([request]).vetoes
        sail_shop.write("SELECT 'a' AS value", address, **copied)
    assert sail_shop.rows(address, **copied) == [("a",)]


def test_that_files_are_of_another_size_on_sail_is_told(sail_shop):
    request = WriteRequest(target(ADDRESS), "append", format="parquet", options={"maxRecordsPerFile": "1000"})
    found = sail_shop.door.requirements([request])
    assert not found.vetoes.get("sail")
    assert found.notes == (
        f"{request.target}: Sail does not follow maxRecordsPerFile: its files hold more rows or fewer",
    )


def test_lines_of_text_end_where_the_option_says(shop):
    shop.put("in/a.txt", "a|b\nc|d")
    assert shop.rows("dataos://shopfiles:in/a.txt", options={"lineSep": "|"}) == [("a",), ("b\nc",), ("d",)]


@pytest.mark.parametrize("codec", ["gzip", "zstd", "snappy"])
def test_parquet_is_written_with_the_codec_that_is_asked_for(shop, codec):
    from pyarrow import parquet

    address = "dataos://shopfiles:out/orders"
    shop.write("SELECT 1 AS id", address, format="parquet", compression=codec)
    [file] = (shop.data / "out" / "orders").glob("*.parquet")
    assert parquet.ParquetFile(file).metadata.row_group(0).column(0).compression == codec.upper()
