"""Functions on text against plain Python, on both engines."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataos_dagster.flare.functions.function import FunctionError
from dataos_dagster.flare.functions.sed import Substitution

# Letters whose cases are special, blanks of all kinds, characters beyond the first plane, and quotes.
TEXTS = st.lists(
    st.none() | st.text(st.sampled_from("abcXYZ 019-_.'\"\\\t\n/,$&é ßñΣσ日😀"), max_size=12), min_size=40, max_size=60
)
few = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
WHITESPACE = " \t\n\x0b\f\r"


def titled(text: str) -> str:
    return " ".join(word[:1].title() + word[1:] for word in text.lower().split(" "))


@few
@given(texts=TEXTS)
@pytest.mark.parametrize(("case", "expected"), [("lower", str.lower), ("upper", str.upper), ("title", titled)])
def test_case_is_changed_as_python_does(column_of, case, expected, texts):
    found = column_of({"c": texts}, "c string", {"name": "change_case", "column": "C", "case": case}, "c")
    assert found == [text if text is None else expected(text) for text in texts]


@few
@given(texts=TEXTS, start=st.integers(1, 8), length=st.integers(1, 8))
def test_characters_are_cut_by_position(column_of, texts, start, length):
    function = {
        "name": "cut_character",
        "column": "c",
        "asColumn": "d",
        "startIndex": start,
        "endIndex": start + length - 1,
    }
    found = column_of({"c": texts}, "c string", function, "d")
    assert found == [text if text is None else text[start - 1 : start - 1 + length] for text in texts]


@few
@given(texts=TEXTS)
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("trim", lambda text: text.strip(WHITESPACE)),
        ("ltrim", lambda text: text.lstrip(WHITESPACE)),
        ("rtrim", lambda text: text.rstrip(WHITESPACE)),
    ],
)
def test_whitespace_is_trimmed(column_of, method, expected, texts):
    found = column_of({"c": texts}, "c string", {"name": "trim", "column": "c", "method": method}, "c")
    assert found == [text if text is None else expected(text) for text in texts]


@few
@given(texts=TEXTS, pattern=st.text(st.sampled_from("##X-*'\\"), min_size=1, max_size=10))
def test_numbers_are_masked_by_position(column_of, texts, pattern):
    found = column_of({"c": texts}, "c string", {"name": "mask_number", "column": "c", "pattern": pattern}, "c")
    pairs = [text if text is None else zip(text, pattern, strict=False) for text in texts]
    assert found == [
        pair if pair is None else "".join(kept if mask == "#" else mask for kept, mask in pair) for pair in pairs
    ]


@few
@given(texts=TEXTS, separator=st.text(st.sampled_from(" ,'\\\"|é"), max_size=3))
def test_values_are_merged_without_nulls(column_of, texts, separator):
    others = list(reversed(texts))
    function = {"name": "merge", "columns": ["A", "b"], "separator": separator, "asColumn": "m"}
    found = column_of({"a": texts, "b": others}, "a string, b string", function, "m")
    assert found == [
        separator.join(value for value in pair if value is not None) for pair in zip(texts, others, strict=True)
    ]


# What sed writes, and what Python's `re` calls the same.
SUBSTITUTIONS = [
    ("s/[$]//g", r"[$]", "", 0),
    ("s/,//", r",", "", 1),
    ("s/^a/Z/g", r"^a", "Z", 0),
    ("s|/|-|g", r"/", "-", 0),
    (r"s/\//-/g", r"/", "-", 0),
    (r"s/(b+)(c)/[\2\1&]/g", r"(b+)(c)", r"[\2\1\g<0>]", 0),
    ("s/X/x/gi", r"[xX]", "x", 0),
    (r"s/\d+/#/g", r"[0-9]+", "#", 0),
    (r"s/\w/w/", r"[A-Za-z0-9_]", "w", 1),
    (r"s/\s+$//", r"[ \t\n\x0b\f\r]+(?=(?:\r\n|[\n\r\x85\u2028\u2029])?\Z)", "", 1),
    ("s/a.b/-/g", r"a[^\n\r\x85\u2028\u2029]b", "-", 0),
    ("s/x*/-/g", r"x*", "-", 0),
    (r"s/a(?=b)/A/g", r"a(?=b)", "A", 0),
    (r"s/\$/\&$1\\/g", r"\$", r"&$1\\", 0),
    ("s/é|日/?/g", "é|日", "?", 0),
    (r"s/[^\w ]/_/g", r"[^A-Za-z0-9_ ]", "_", 0),
    (r"s/\p{Punct}//g", r"[!-/:-@\[-`{-~]", "", 0),
]


@settings(few, max_examples=2)
@given(texts=TEXTS)
@pytest.mark.parametrize(("expression", "pattern", "replacement", "count"), SUBSTITUTIONS)
def test_values_are_substituted_as_sed_does(column_of, expression, pattern, replacement, count, texts):
    function = {"name": "find_and_replace", "column": "c", "sedExpression": expression}
    found = column_of({"c": texts}, "c string", function, "c")
    compiled = re.compile(pattern)
    assert found == [text if text is None else compiled.sub(replacement, text, count=count) for text in texts]


@pytest.mark.parametrize(
    ("expression", "is_portable"),
    [
        ("s/[$]//g", True),
        (r"s/\d{2,3}-/x/g", True),
        ("s/^Adalberto/Albert/", True),
        ("s/a/b/", False),
        ("s/x*/-/g", False),
        ("s/a$/b/g", False),
        (r"s/\bA/b/g", False),
        (r"s/(a)/\1/g", False),
        ("s/a/$1/g", False),
        ("s/a{/b/g", False),
        ("s/[a~~b]/x/g", True),
        (r"s/[a\[b]/x/g", True),
        ("s/a++b/x/g", False),
        ("s/é/e/g", False),
    ],
)
def test_only_what_engines_are_sure_to_do_alike_is_left_to_them(expression, is_portable):
    assert Substitution.parse(expression).is_portable is is_portable


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "is no substitution"),
        ("y/a/b/", "is no substitution"),
        ("s/a/b", "has 1 of 3 delimiters '/'"),
        ("s//b/", "searches for nothing"),
        ("s/a/b/q", "has the flag 'q'"),
        ("s/(/b/", "does not parse"),
        (r"s/a/\1/", "puts in group 1, and its regular expression has 0"),
        ("s/[a&&b]/x/", "has && in a class"),
        ("s/[a--b]/x/", "has -- in a class"),
        ("s/[a[bc]]/x/g", "begins another class"),
        ("s/[[:digit:]]/x/g", r"\p{Digit} for [:digit:]"),
        (r"s/\p{Greek}/x/", "is not supported"),
        (r"s/[\W]/x/", "is not supported"),
    ],
)
def test_a_sed_expression_that_is_none_says_what_is_wrong(expression, message):
    with pytest.raises(ValueError) as error:
        Substitution.parse(expression)
    assert message in str(error.value)


def test_numbers_are_written_out_where_text_is_meant(rows_of):
    columns, rows = rows_of(
        "SELECT 1234 AS c, CAST(1.50 AS decimal(10,2)) AS d",
        {"name": "cut_character", "column": "c", "startIndex": 2, "endIndex": 3},
        {"name": "merge", "columns": ["c", "d"], "separator": ":", "asColumn": "m"},
    )
    assert columns == ["c string", "d decimal(10,2)", "m string"]
    assert rows[0][2] == "23:1.50"


def test_a_list_is_no_text(rows_of):
    with pytest.raises(FunctionError, match=r"trim: column 'c' is of type array<int>, and has to be text"):
        rows_of("SELECT array(1) AS c", {"name": "trim", "column": "c", "method": "trim"})


def test_a_function_on_a_column_that_is_not_there_names_the_nearest(rows_of):
    with pytest.raises(FunctionError, match="change_case: there is no column 'nmae'") as error:
        rows_of("SELECT 'a' AS name", {"name": "change_case", "column": "nmae", "case": "upper"})
    assert error.value.hint == "did you mean 'name'? columns: name"
