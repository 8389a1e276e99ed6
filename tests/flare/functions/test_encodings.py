"""Encodings and digests against Python's, on both engines."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

few = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXTS = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=90), min_size=30, max_size=40)
ENCODERS = {"base32": base64.b32encode, "base64": base64.b64encode, "hex": base64.b16encode}


@few
@given(texts=TEXTS)
@pytest.mark.parametrize("algo", ENCODERS)
def test_texts_are_encoded_and_come_back(column_of, algo, texts):
    function = {"column": "c", "asColumn": "d", "algo": algo}
    encoded = column_of({"c": texts}, "c string", {"name": "encode", **function}, "d")
    assert encoded == [text if text is None else ENCODERS[algo](text.encode()).decode() for text in texts]
    assert column_of({"c": encoded}, "c string", {"name": "decode", **function}, "d") == texts


# RFC 4648, section 10: the texts from "" to "foobar".
VECTORS = {
    "base64": ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"],
    "base32": ["", "MY======", "MZXQ====", "MZXW6===", "MZXW6YQ=", "MZXW6YTB", "MZXW6YTBOI======"],
    "hex": ["", "66", "666F", "666F6F", "666F6F62", "666F6F6261", "666F6F626172"],
}


@pytest.mark.parametrize("algo", VECTORS)
def test_the_vectors_of_the_standard_hold(column_of, algo):
    texts = ["foobar"[:length] for length in range(7)]
    function = {"column": "c", "algo": algo}
    assert column_of({"c": texts}, "c string", {"name": "encode", **function}, "c") == VECTORS[algo]
    assert column_of({"c": VECTORS[algo]}, "c string", {"name": "decode", **function}, "c") == texts


@pytest.mark.parametrize(
    ("algo", "text", "expected"),
    [
        ("base32", "giytenbu", "21244"),
        ("base32", "GIYTE===", "212"),
        ("base32", "GIYTE", "212"),
        ("base32", "?", None),
        ("base64", "MjEyNDQ", "21244"),
        ("base64", "MjEy\nNDQ=", "21244"),
        ("base64", "*", None),
        ("hex", "3231", "21"),
        ("hex", "A3231", "\n21"),
        ("hex", "xyz", None),
        ("hex", "ff", "\ufffd"),
    ],
)
def test_what_is_no_encoding_is_null_and_padding_may_lack(column_of, algo, text, expected):
    assert column_of({"c": [text]}, "c string", {"name": "decode", "column": "c", "algo": algo}, "c") == [expected]


@few
@given(texts=TEXTS)
@pytest.mark.parametrize("algo", ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"])
def test_digests_are_those_of_python(column_of, algo, texts):
    found = column_of({"c": texts}, "c string", {"name": "hash", "column": "c", "algo": algo}, "c")
    digest = algo.replace("-", "")
    assert found == [text if text is None else hashlib.new(digest, text.encode()).hexdigest() for text in texts]


def test_bytes_are_taken_as_they_are_and_numbers_as_their_text(rows_of):
    columns, rows = rows_of(
        "SELECT X'FF00' AS a, X'FF00' AS b, 12 AS c",
        {"name": "hash", "column": "a", "algo": "md5"},
        {"name": "encode", "column": "b", "algo": "hex"},
        {"name": "hash", "column": "c", "algo": "sha1"},
    )
    assert columns == ["a string", "b string", "c string"]
    assert rows == [(hashlib.md5(b"\xff\x00").hexdigest(), "FF00", hashlib.sha1(b"12").hexdigest())]
