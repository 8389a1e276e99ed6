"""Addresses and HTML taken apart, on both engines."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

few = settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PARTS = ["protocol", "authority", "host", "port", "path", "filename", "query"]


@few
@given(texts=st.lists(st.none() | st.text("ab.@ \n'é", max_size=8), min_size=40, max_size=60))
def test_emails_are_split_at_their_only_at(column_of, texts):
    pattern = re.compile(r"([^@ \t\r\n]+)@([^@ \t\r\n]+)")
    for group, part in enumerate(["account", "domain"], start=1):
        found = column_of({"Mail": texts}, "Mail string", {"name": "split_email", "column": "Mail"}, f"Mail_{part}")
        matches = [text and pattern.fullmatch(text) for text in texts]
        assert found == [match[group] if match else None for match in matches]


# Login, host, port, path and query; the address is put together from them.
URLS = st.tuples(
    st.sampled_from(["http", "https", "ftp"]),
    st.sampled_from(["", "user:secret@", "user@"]),
    st.sampled_from(["example.com", "Example.COM", "10.0.0.1", "[::1]", "é.example"]),
    st.sampled_from([None, 80, 8443]),
    st.sampled_from(["", "/", "/a/b.html", "/a%20b", "/a:b@c"]),
    st.sampled_from([None, "q=1&r=é", "to=http://x/y?z", "/"]),
    st.sampled_from(["", "#top", "#a?b/c"]),
)


@few
@given(parts=st.lists(URLS, min_size=20, max_size=40))
def test_urls_are_split_into_what_they_are_made_of(column_of, parts):
    whole = [(*each, f"{each[1]}{each[2]}{'' if each[3] is None else f':{each[3]}'}") for each in parts]
    filenames = [f"{path}{'' if query is None else f'?{query}'}" for _, _, _, _, path, query, _, _ in whole]
    texts = [
        f"{scheme}://{authority}{filename}{mark}"
        for (scheme, *_, mark, authority), filename in zip(whole, filenames, strict=True)
    ]
    expected = {
        "protocol": [scheme for scheme, *_ in whole],
        "authority": [authority for *_, authority in whole],
        "host": [host for _, _, host, *_ in whole],
        "port": [port for _, _, _, port, *_ in whole],
        "path": [path for _, _, _, _, path, *_ in whole],
        "query": [query for *_, query, _, _ in whole],
        "filename": filenames,
    }
    none = [None, "www.spiderman.com", "", "http://h:port/"]
    for part, values in expected.items():
        found = column_of({"u": [*texts, *none]}, "u string", {"name": "split_url", "column": "U"}, f"U_{part}")
        assert found == [*values, *[None] * len(none)], part


def test_hosts_keep_their_letters(column_of):
    urls = ["http://Example.COM:80/", "http://user:secret@10.0.0.1/x", "http://[::1]:8080/"]
    found = column_of({"u": urls}, "u string", {"name": "split_url", "column": "u"}, "u_host")
    assert found == ["Example.COM", "10.0.0.1", "[::1]"]


def test_a_missing_column_of_urls_gives_nulls(rows_of):
    columns, rows = rows_of("SELECT 1 AS a", {"name": "split_url", "column": "site"})
    assert columns == ["a int", *(f"site_{part} {'int' if part == 'port' else 'string'}" for part in PARTS)]
    assert rows == [(1, *[None] * 7)]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>wor</b>ld</p>", "Hello world"),
        ("<h1>One</h1><p>two<br>three</p>", "One two three"),
        ("a &amp; b &lt;c&gt; &eacute;&nbsp;!", "a & b <c> é !"),
        ("<script>alert(1)</script><style>p {}</style>seen", "seen"),
        ("<ul><li>1</li><li>2</li></ul>", "1 2"),
        ("  plain \n text ", "plain text"),
        ("<p>not <i>closed", "not closed"),
        ("", ""),
        (None, None),
    ],
)
def test_html_becomes_the_text_that_is_seen(column_of, html, text):
    assert column_of({"c": [html]}, "c string", {"name": "parse_html", "column": "c"}, "c") == [text]
    assert column_of({"c": [html]}, "c string", {"name": "parse_html", "column": "c", "asColumn": "d"}, "c") == [html]
