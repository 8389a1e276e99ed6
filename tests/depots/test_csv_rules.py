"""One table of vectors, read by our CSV reader on Sail and by Spark's own: rows and types must be the same."""

# ruff: noqa: ISC004 - a vector is a text over two lines, and stands in a tuple with its options

from __future__ import annotations

from itertools import pairwise

import pytest
from depot_shop import target
from effort import lines_run

from dataos_dagster.depots.door import GivenSchema, ReadRequest
from dataos_dagster.depots.files.csv.lines import ByteRange, read_lines
from dataos_dagster.depots.files.csv.options import CsvOptions, csv_obstacles
from dataos_dagster.depots.files.csv.source import rows
from dataos_dagster.depots.storage import Place
from dataos_dagster.errors import StatementFailed

TYPED = "a int, b bigint, c double, d boolean, e date, f timestamp, g decimal(5,2), h smallint, i tinyint, j float, k string"
HEAD = "a,b,c,d,e,f,g,h,i,j,k\n"
INFER = {"inferSchema": "true"}

# name: text, options, DDL or None
VECTORS: dict[str, tuple[str, dict[str, str], str | None]] = {
    "quotes": ('a,b,c\n"x ""y""",,"z"\n"a\\"b","",q\n"a"b,c"d"e,"un\n"ws" ,x,y\n"a\\\\b","a\\nb",\'q\'\n', {}, None),
    "a quote that is not closed": ('a,b\n"x","y\n1,"x\ny"\n"x,y\n', {}, None),
    "a quote inside": ('a\n"ab"c,d\n', {}, None),
    "another quote and escape": ("a,b\n'x,y','it''s'\n'it^'s',z\n", {"quote": "'", "escape": "^"}, None),
    "null value": ('a,b\n"",\nNA,"NA"\n', {"nullValue": "NA"}, None),
    "empty fields": ('a,b\n"",""\n,\n', {}, None),
    "ragged": ("a,b\n1,2,3\n4\n\n5,6\n", {}, None),
    "ragged, malformed dropped": ("a,b\n1,2,3\n4\n\n5,6\n", {"mode": "DROPMALFORMED"}, None),
    "an unknown mode is permissive": ("a,b\n1,2,3\n", {"mode": "whatever"}, None),
    "names twice and none": ("a,A,,b \n1,2,3,4\n", {}, None),
    "without a header": ("1,x\n2,y\n", {"header": "false"}, None),
    "only a header": ("a,b\n", {}, None),
    "nothing at all": ("", {}, None),
    "blank lines": ("a,b\n   \n\n1,2\n\n", {}, None),
    "one column, quoted nothing": ('a\n""\n\nx\n', {}, None),
    "spaces stay": ("a,b\n#1,2\n 3 , 4 \n", {}, None),
    "semicolons": ("a;b\n1;2,5\n", {"sep": ";"}, None),
    "tabs and line ends of Windows": ("a\tb\r\n1\t2\r\n", {"delimiter": "\\t"}, None),
    "byte order mark": ("\ufeffa,b\n1,\u00e4\n", {}, None),
    "inferred": (
        "a,b,c,d,e,f,g,h,i,j\n1,99999999999,1.5,true,2024-01-01,2024-01-01 10:00:00,2024-01-01T10:00:00Z,99999999999999999999999,,x\n"
        "2,1,2,FALSE,2024-02-29,2024-01-02,2024-01-01T10:00:00.123+02:00,1,,1\n", INFER, None,
    ),
    "inferred mixtures": ("a,b,c,d,e\n1,true,NaN,2024-01-01,1e5\n1.5,1,Inf,x,2d\n", INFER, None),
    "inferred dates and times": ("a,b,c,d\n2024-01-01,2024-1-2,2024,2024-01-01T10:00\n2024-02-01,2024-1-3,2025-01,2024-01-02\n", INFER, None),
    "inferred beyond a long": ("a,b,c,d\n1,99999999999,,true\n99999999999999999999,5.5,,\n", INFER, None),
    "inferred with null values": ("a,b,c\n2013-01-01 05:00:00,01/02/2013,5\nNA,NA,NA\n", INFER | {"nullValue": "NA"}, None),
    "inferred with formats": (
        "a,b\n01/02/2013,2013-01-01 05:00\n", INFER | {"dateFormat": "MM/dd/yyyy", "timestampFormat": "yyyy-MM-dd HH:mm"}, None,
    ),
    "inferred from nothing": ("a,b\n,\n", INFER, None),
    "typed, plain": (HEAD + "+5, 6,1e3,TRUE,2024,2024-01-01,1.235,7,300,1.1,x\n", {}, TYPED),
    "typed, odd": (HEAD + '5.0,-7, 1.5 ,yes,2024-01,2024-01-01 10,1234.5,99999,-128,NaN,"q,q"\n', {}, TYPED),
    "typed, gaps": (HEAD + ",,Infinity,False,2024-1-5,2024-1-5 1:2:3,.5,,,Inf,\n", {}, TYPED),
    "typed, limits": (HEAD + "2147483648,9223372036854775808,1d,t,2024-01-01x,2024-01-01T10:20:30.123456789,1.,-32768,x,1e40,y\n", {}, TYPED),
    "typed, limits held": (HEAD + "-2147483648,9223372036854775807,1f,TRUE,0001-01-01,1969-12-31T23:59:59.999999,-999.99,32767,127,-1e-40,y\n", {}, TYPED),
    "typed, zones": (HEAD + "0x1,1_0,.5,1,2024-13-01,2024-01-01 10:00:00 Europe/Berlin,abc,1,1,-Inf,z\n", {}, TYPED),
    "typed, offsets": (HEAD + "1,1,1.,true,2024-02-30,2024-01-01 10:00:00+01:00,99999,1,1,nan,z\n", {}, TYPED),
    "typed, exponents": (HEAD + "1,1,-.5e-3,true,2024-01-01 10:00,2024-01-01T10:00Z,1e2,1,1,1,z\n", {}, TYPED),
    "typed, shifted": (HEAD + "1,1,1,5,true,20240101,2024-01-01 24:00:00,12,1,1,1,z\n", {}, TYPED),
    "typed, malformed dropped": (
        HEAD + "1,x,1,true,2024-01-01,2024-01-01,1,1,1,1,z\n2,2,1,true,2024-01-01,2024-01-01,1,1,1,1,z\n", {"mode": "DROPMALFORMED"}, TYPED,
    ),
    "fewer columns than the file": ("a,b,c\n1,2,3\n", {}, "x int, y int"),
    "more columns than the file": ("a\n1\n", {}, "x int, y int"),
    "date format": ("a,b\n31/12/2020,x\n1/2/2020,y\n", {"dateFormat": "dd/MM/yyyy"}, "a date, b string"),
    "strict date format": ("a\n2020-1-5\n2020-01-05\n", {"dateFormat": "yyyy-MM-dd"}, "a date"),
    "optional sections of a format": (
        "a\n2020-01-05T10:11:12.123Z\n2020-01-05T10:11:12Z\n2020-01-05T10:11:12+01:00\n",
        {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]"}, "a timestamp",
    ),
    "names of months, halves of days": ("a\n5 Mar 2024 7:05 PM\n05 mar 2024 12:00 am\n", {"timestampFormat": "d MMM yyyy h:mm a"}, "a timestamp"),
    "wide decimals": (
        "a,b\n12345678901234567890123456789012345678,1234567890123456789012345678.9012345678\n"
        "-99999999999999999999999999999999999999,0.00000000005\n", {}, "a decimal(38,0), b decimal(38,10)",
    ),
    "names for infinity": ("a,b\n-,inf\n#,x\n", {"nanValue": "-", "positiveInf": "inf", "negativeInf": "#"}, "a double, b double"),
}  # fmt: skip


@pytest.fixture(params=VECTORS)
def vector(request):
    return VECTORS[request.param]


def read(shop, options, ddl):
    schema = GivenSchema("ddl", ddl) if ddl else None
    frame = shop.frame("dataos://shopfiles:in/a.csv", options=options, schema=schema)
    return frame.dtypes, sorted(map(repr, frame.collect()))


def test_sail_reads_every_vector_as_spark_does(sail_shop, spark_shop, vector):
    text, options, ddl = vector
    sail_shop.put("in/a.csv", text)
    assert (
        sail_shop.door.requirements([ReadRequest(target("dataos://shopfiles:in/a.csv"), options=options)]).vetoes == {}
    )
    assert read(sail_shop, options, ddl) == read(spark_shop, options, ddl)


def test_a_malformed_record_fails_the_read_when_asked(shop):
    shop.put("in/a.csv", "a,b\n1,2,3\n")
    frame = shop.frame("dataos://shopfiles:in/a.csv", options={"mode": "FAILFAST"})
    with pytest.raises(StatementFailed), shop.session().failures():
        frame.collect()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"multiline": "true"}, "multiline"),
        ({"sep": "||"}, "'||'"),
        ({"encoding": "latin1"}, "latin1"),
        ({"timestampformat": "QQQ yyyy"}, "timestampformat"),
        ({"columnnameofcorruptrecord": "bad"}, "columnnameofcorruptrecord"),
        ({"enforceschema": "false"}, "enforceschema"),
        ({"maxcolumns": "5"}, "maxcolumns"),
        ({"unheard": "of"}, "unheard"),
    ],
)
def test_what_we_do_not_follow_is_left_to_spark(options, said):
    [reason] = csv_obstacles(options)
    assert said in reason


def test_options_that_say_what_is_the_case_anyway_change_nothing():
    assert (
        csv_obstacles(
            {"multiline": "false", "header": "true", "sep": ",", "encoding": "UTF-8", "enforceschema": "true"}
        )
        == []
    )


def test_ranges_of_a_file_have_each_line_once(tmp_path):
    lines = [f"{i},{'x' * (i % 7)}" for i in range(200)]
    for end in ("\n", "\r\n"):
        file = tmp_path / "a.csv"
        file.write_text(end.join(lines), newline="")
        size = file.stat().st_size
        for width in (1, 3, 10, 64, 1000, size, size + 5):
            cuts = [*range(0, size, width), size]
            found = [
                line
                for start, stop in pairwise(cuts)
                for line in read_lines(Place(str(file)), ByteRange(str(file), start, stop))
            ]
            assert found == lines


def test_compressed_files_are_read(shop):
    import gzip

    (shop.data / "in").mkdir()
    (shop.data / "in/a.csv.gz").write_bytes(gzip.compress(b"id,x\n1,a\n"))
    assert shop.rows("dataos://shopfiles:in/a.csv.gz") == [("1", "a")]


def test_plain_fields_are_split_and_converted_by_columns_and_not_one_by_one():
    from pyspark.sql.types import IntegerType, StringType, StructField, StructType

    schema = StructType([StructField(f"c{i}", IntegerType() if i % 2 else StringType()) for i in range(10)])
    lines = [",".join(f'"{n}"' if n % 3 == 0 and i == 0 else str(n) for i in range(10)) for n in range(100_000)]

    def cost(count):
        return lines_run(lambda: rows(lines[:count], schema, CsvOptions(), "a.csv"))

    cost(2)  # imports
    assert cost(100_000) < 2 * cost(1_000)
    columns = rows(lines, schema, CsvOptions(), "a.csv")
    assert columns[1].to_pylist() == list(range(100_000))
    assert columns[0][3].as_py() == "3"
