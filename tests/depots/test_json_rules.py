"""One table of vectors, read by our JSON reader on Sail and by Spark's own: rows and types must be the same."""

# ruff: noqa: ISC004 - a vector is a text over two lines, and stands in a tuple with its options

from __future__ import annotations

import pytest
from depot_shop import target

from dataos_dagster.depots.door import GivenSchema, ReadRequest
from dataos_dagster.depots.files.json.options import json_obstacles
from dataos_dagster.errors import DataOSError, StatementFailed

TYPED = (
    "a int, b bigint, c double, d boolean, e date, f timestamp, g decimal(5,2), h string, i array<int>, "
    "j struct<x:int,y:string>, k map<string,int>, l float, m smallint"
)

VECTORS: dict[str, tuple[str, dict[str, str], str | None]] = {
    "objects, arrays, broken lines": ('{"b":1,"a":"x","n":{"z":1.0,"y":[1,2]}}\n{"a":5,"c":true}\nbroken\n\n[{"a":1},{"a":2}]\n5\n', {}, None),
    "widest types": (
        '{"a":1,"b":1.5,"c":99999999999999999999,"d":null,"e":[],"f":{},"g":[null],"h":[1,"x"],"i":{"x":1}}\n'
        '{"a":2.5,"b":2,"c":1,"i":{"y":"q"}}\n', {}, None,
    ),
    "texts as they are written": ('{"a":1,"b":true,"c":{"x":1}}\n{"a":"s","b":1,"c":5}\n{"a":1.50,"b":[1, 2],"c":1e5}\n', {}, None),
    "primitives as texts": ('{"a":1.0,"b":1,"c":"x"}\n', {"primitivesAsString": "true"}, None),
    "one document a file": ('[{"a":1,\n"b":2},\n{"a":3}]', {"multiLine": "true"}, None),
    "single quotes": ("{'a':1,'b':'it\\'s'}\n", {}, None),
    "wide decimals": (
        '{"a":12345678901234567890123456789012345678,"b":"1234567890123456789012345678.9012345678"}\n'
        '{"a":-99999999999999999999999999999999999999,"b":1234567890123456789012345678.9012345678}\n', {},
        "a decimal(38,0), b decimal(38,10)",
    ),
    "odd numbers": ('{"a":NaN}\n{"a":01}\n', {}, None),
    "dates are texts": ('{"a":"2024-01-01T10:00:00Z","b":"2024-01-01"}\n', {}, None),
    "odd names": ('{"x y":1,"z-w":2}\n', {}, None),
    "malformed dropped": ('{"a":1}\nbroken\n', {"mode": "DROPMALFORMED"}, None),
    "nothing": ("\n", {}, None),
    "typed": (
        '{"a":1,"b":2,"c":3,"d":true,"e":"2024-01-01","f":"2024-01-01T10:00:00Z","g":1.235,"h":{"q": 1.0, "r":[1,null,"s"]},'
        '"i":[1,null],"j":{"x":1,"y":2},"k":{"p":1},"l":1.1,"m":1}\n', {}, TYPED,
    ),
    "typed, as texts": (
        '{"a":1.0,"b":"2","c":"3","d":"true","e":"2024-1-1","f":"2024-01-01","g":"1.2","h":true,"i":"[1]","j":[1],"k":[1],'
        '"l":"NaN","m":99999}\n', {}, TYPED,
    ),
    "typed, beyond": (
        '{"a":99999999999,"b":1e2,"c":"Infinity","d":1,"e":5,"f":5,"g":99999,"h":1.50,"i":[1,"x"],"j":{"x":"bad","y":null},'
        '"k":{"p":"x"},"l":1e40,"m":null}\n', {}, TYPED,
    ),
    "typed, broken": ('{"a":1}\nbroken\n{"a":"x"}\n', {}, "a int"),
    "typed, broken dropped": ('{"a":1}\nbroken\n{"a":"x"}\n', {"mode": "DROPMALFORMED"}, "a int"),
    "typed, broken kept": ('{"a":1}\nbroken\n{"a":"x"}\n', {}, "a int, _corrupt_record string"),
    "a column that is nowhere": ('{"a":1}\n', {}, "a int, z string"),
}  # fmt: skip


@pytest.fixture(params=VECTORS)
def vector(request):
    return VECTORS[request.param]


def read(shop, options, ddl):
    schema = GivenSchema("ddl", ddl) if ddl else None
    frame = shop.frame("dataos://shopfiles:in/a.json", options=options, schema=schema)
    return frame.dtypes, sorted(map(repr, frame.collect()))


def test_sail_reads_every_vector_as_spark_does(sail_shop, spark_shop, vector):
    text, options, ddl = vector
    sail_shop.put("in/a.json", text)
    assert (
        sail_shop.door.requirements([ReadRequest(target("dataos://shopfiles:in/a.json"), options=options)]).vetoes == {}
    )
    assert read(sail_shop, options, ddl) == read(spark_shop, options, ddl)


def test_a_malformed_record_fails_the_read_when_asked(shop):
    shop.put("in/a.json", '{"a":1}\nbroken\n')
    frame = shop.frame("dataos://shopfiles:in/a.json", options={"mode": "FAILFAST"}, schema=GivenSchema("ddl", "a int"))
    with pytest.raises(StatementFailed), shop.session().failures():
        frame.collect()


def test_members_whose_names_differ_in_case_only_are_refused(shop):
    shop.put("in/a.json", '{"A":1,"a":2}\n')
    with pytest.raises(DataOSError, match=r"`a`|'a'"):
        shop.frame("dataos://shopfiles:in/a.json")


def test_what_we_do_not_follow_is_left_to_spark():
    assert json_obstacles({"allowcomments": "true", "multiline": "true", "allowsinglequotes": "true"}) == [
        "the JSON option allowcomments is followed by Spark only"
    ]


def test_an_option_that_we_have_never_heard_of_is_left_to_spark():
    assert json_obstacles({"mode": "FAILFAST", "inferschema": "true", "unheard": "of"}) == [
        "the JSON option unheard is followed by Spark only"
    ]
