"""What does not parse is explained by its cause, in the line where the cause is."""

from __future__ import annotations

from pathlib import Path

import pytest
from effort import lines_run

from dataos_dagster.manifests.codes import CODES
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.reader import read_text
from dataos_dagster.settings import LimitSettings

UNPARSED = Path(__file__).parents[3] / "shared/corpus/_unparsed"
LIMITS = LimitSettings()


def errors_of(text: str):
    documents, diagnostics = read_text(text, file=Path("x.yaml"), name="x.yaml", limits=LIMITS)
    assert documents == []
    assert all(found.severity is Severity.ERROR for found in diagnostics)
    return diagnostics


def told(text: str) -> list[tuple[str, int, int]]:
    return [(found.code, found.line, found.column) for found in errors_of(text)]


MISTAKES = {
    "tab": ("workflow:\n\tdag: []\n", [("tab", 2, 1)]),
    "tab behind a dash": ("tags:\n  - \t- a\n", [("tab", 2, 5)]),
    "star": ("includes:\n  - *\n", [("reserved-character", 2, 5)]),
    "star with text": ("name: x\npattern: *.csv\n", [("reserved-character", 2, 10)]),
    "at": ("owner: @mira\n", [("reserved-character", 1, 8)]),
    "backtick": ("sql: `a`.`b`\n", [("reserved-character", 1, 6)]),
    "percent": ("format: %Y\n", [("reserved-character", 1, 9)]),
    "braces and text": ("name: {{depot}}-r\nversion: v1\n", [("unquoted-braces", 1, 7)]),
    "braces with colons": ("tags:\n  - {{roles:id:staff}} # staff\n  - {{a}} b\n", [("unquoted-braces", 3, 5)]),
    "template statement": ("text: {% if x %}\n", [("unquoted-braces", 1, 7)]),
    "braces open": ("a: {{policy of the staff\nname: staff\n", [("unclosed-braces", 1, 4)]),
    "placeholder for lines": (
        'params:\n  ${{"a": "b"}}\n  ${{"c": "d"}}\n',
        [("placeholder-without-key", 2, 3), ("placeholder-without-key", 3, 3)],
    ),
    "stray indent": ("name: x\n  version: v1\ntype: y\n", [("key-too-deep", 2, 3)]),
    "key below the dash": (
        "secrets:\n  - name: a\n  allkeys: true\n  - name: b\n  allkeys: true\n",
        [("key-beside-dash", 3, 3), ("key-beside-dash", 5, 3)],
    ),
    "neighbour of a list": (
        "job:\n  inputs:\n    - name: a\n      dataset: b\n    logLevel: INFO\n",
        [("key-among-items", 5, 5)],
    ),
    "item key too deep": ("dag:\n  - name: a\n      spec: {}\n", [("key-too-deep", 3, 7)]),
    "between two levels": ("a:\n    b:\n      - x\n   c: 1\n", [("key-misaligned", 4, 4)]),
    "first key astray": ("a:\n   b: 1\n  c: 2\n  d: 3\n", [("key-misaligned", 2, 4)]),
    "first key beside its parent": ("a:\nb: 1\n  c: 2\n  d: 3\n", [("key-misaligned", 2, 1)]),
    "key outside its mapping": ("a:\n  b: 1\nx: 2\n  c: 3\n", [("key-misaligned", 3, 1)]),
    "key right of its list": ("a:\n  b: 1\n    c:\n  - x\n", [("key-too-deep", 3, 5)]),
    "dash astray": ("inputs:\n  - ref: a\n\n      - ref: b\n", [("item-misaligned", 4, 7)]),
    "list without key": ("depot:\n  external: true\n    - acl: r\n", [("list-below-value", 3, 5)]),
    "list below a value": ("steps:\n  - sequence: all\n      - name: a\n", [("list-below-value", 3, 7)]),
    "text not indented": (
        'body: |\n{\n  "@type": "x",\n  "y": 1\n}\nnext: 1\n',
        [("text-not-indented", 2, 1)],
    ),
    "lost line break": (
        "# Resource meta sectionname: x\nversion: v1\nmonitor:\n  type: r\n# Report specificationreport:\n    source: a\n",
        [("key-in-comment", 1, 24), ("key-in-comment", 5, 23)],
    ),
    "bold": ("**name**: x\nversion: **v1**\n", [("bold-marks", 1, 1), ("bold-marks", 2, 10)]),
    "dash without space": ("tags:\n  - a\n  -b\n", [("missing-space-after-dash", 3, 3)]),
    "colon without space": ("name:x\nversion: v1\n", [("missing-space-after-colon", 1, 5)]),
    "no colon": ("name x\nversion: v1\n", [("missing-colon", 1, 1)]),
    "no colon in front of a list": ("a: 1\ntags\n  - x\n  - y\nb: 2\n", [("missing-colon", 2, 1)]),
    "comma behind quotes": ('name: "x",\ntype: "y",\n', [("trailing-comma", 1, 10), ("trailing-comma", 2, 10)]),
    "text behind quotes": ('memory: "38GB" /23\n', [("text-behind-quotes", 1, 15)]),
    "apostrophe": ("title: 'it's late'\n", [("quote-in-quotes", 1, 12)]),
    "quote not closed": ('title: "late\nversion: v1\ntype: "x"\n', [("unclosed-quote", 1, 8)]),
    "colon in a value": ("description: Note: late\n", [("colon-in-value", 1, 14)]),
    "two keys on a line": ("name: x version: v1\n", [("two-keys-on-a-line", 1, 9)]),
    "bracket open": ("tags: [a, b\nversion: v1\n", [("unclosed-bracket", 1, 7)]),
    "comma missing": ('tags: ["a" "b"]\n', [("missing-comma", 1, 12)]),
    "bracket too many": ("tags: [a]]\n", [("stray-bracket", 1, 10)]),
    "fence": ("```yaml\nname: x\n```\n", [("markdown-fence", 1, 1), ("markdown-fence", 3, 1)]),
    "long dash": ("tags:\n  - a\n  \u2013 b\n", [("odd-dash", 3, 3)]),
    "wide colon": ("name\uff1a x\nversion: v1\n", [("odd-colon", 1, 5)]),
    "equals sign": ("name = x\nversion: v1\n", [("odd-colon", 1, 6)]),
    "non-breaking space": ("a:\n  b: 1\n\u00a0\u00a0c: 2\n  d: 3\n", [("odd-space", 3, 1)]),
    "second document": ("a: 1\n---\nb: *\n", [("reserved-character", 3, 4)]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_where_it_is(mistake):
    text, expected = MISTAKES[mistake]
    assert told(text) == expected


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_has_a_hint_a_caret_and_an_explanation(mistake):
    for found in errors_of(MISTAKES[mistake][0]):
        assert found.hint
        assert "^" in found.snippet
        assert found.code in CODES


def test_mistakes_of_different_kinds_are_told_in_one_go():
    text = "name:x\nversion: v1\ntags:\n  - a\n  -b\nowner: @mira\nsecrets:\n  - name: s\n  keys: []\n"
    assert [code for code, *_ in told(text)] == [
        "missing-space-after-colon", "missing-space-after-dash", "reserved-character", "key-beside-dash",
    ]  # fmt: skip


def test_a_repair_of_one_line_does_not_move_the_place_of_the_next():
    text = "a:\n  - b: 1\n      c:\n        - d: 1\n            e: 2\n"
    assert told(text) == [("key-too-deep", 3, 7), ("key-too-deep", 5, 13)]


def test_what_no_rule_knows_is_told_in_the_place_of_the_parser():
    [found] = errors_of('a: "\\q"\n')
    assert (found.code, found.line) == ("yaml-syntax", 1)
    assert "backslash" in found.message


def test_a_broken_file_is_explained_at_a_cost_that_grows_with_its_lines_and_not_with_their_square():
    def cost(items):
        text = "a:\n" + "  - name: x\n    value: [1, 2]\n" * items + "  broken\n"
        return lines_run(lambda: errors_of(text))

    cost(2)  # imports
    assert cost(8000) < 5 * cost(2000)


# The first cause that a person names who reads the file: where, and what.
CAUSES = {
    "bundle-productaffinity-bundle-abc": {
        (11, "section-not-indented"),
        (14, "key-beside-dash"),
        (18, "key-beside-dash"),
    },
    "cluster-advancedminerva": {(37, "text-behind-quotes")},
    "cluster-minervab": {(53, "key-too-deep")},
    "cluster-minervac": {(28, "key-beside-dash"), (37, "key-beside-dash")},
    "data-product-affinity-cross-sell": {(60, "key-too-deep")},
    "data-retaildata": {(34, "item-misaligned")},
    "data-vendor-data-insights": {(59, "key-too-deep"), (62, "key-too-deep"), (71, "key-too-deep")},
    "database-ordersumdb": {(9, "section-not-indented"), (13, "key-among-items")},
    "depot-depot-name--2": {(6, "unquoted-braces"), (15, "unquoted-braces")},
    "depot-depot-name--4": {(15, "key-beside-dash"), (18, "key-beside-dash")},
    "depot-depot-name--5": {(17, "key-beside-dash"), (24, "placeholder-without-key")},
    "depot-depot-name--7": {(11, "section-not-indented"), (17, "key-beside-dash")},
    "depot-depot-name--9": {(17, "key-beside-dash"), (20, "key-beside-dash")},
    "depot-depot-name": {(19, "list-below-value")},
    "depot-mssqldepot": {(23, "key-beside-dash"), (27, "key-beside-dash")},
    "depot-postgresdepotwithinstancesecret": {(13, "key-too-deep")},
    "monitor": {(3, "key-in-comment"), (13, "key-in-comment"), (20, "key-in-comment")},
    "operator-azure-data-factory--2": {(26, "key-too-deep"), (59, "key-too-deep"), (68, "key-too-deep")},
    "pager-pager-test": {(44, "key-beside-dash"), (52, "key-beside-dash")},
    "pager-testalerts--2": {(34, "text-not-indented")},
    "pager-testalerts": {(29, "text-not-indented")},
    "policy-test-phi-reader-staff": {(19, "unclosed-braces")},
    "service-service-name": {(32, "key-misaligned")},
    "workflow-comcloudevent-01": {(38, "key-among-items")},
    "workflow-mssql-scanner2": {(28, "key-misaligned")},
    "workflow-scan-data-product2": {(16, "key-too-deep")},
    "workflow-workflow-ny-taxi-parallel-write": {(102, "list-below-value")},
}


@pytest.mark.skipif(not UNPARSED.is_dir(), reason="the published manifests are not on this machine")
def test_every_published_manifest_that_is_broken_is_told_its_cause():
    missed = {}
    files = sorted(UNPARSED.iterdir())
    for file in files:
        text = file.read_text(encoding="utf-8")
        _, diagnostics = read_text(text, file=file, name=file.name, limits=LIMITS)
        found = {(one.line, one.code) for one in diagnostics}
        assert all(one.hint and one.snippet for one in diagnostics)
        if not CAUSES[file.stem] <= found or "yaml-syntax" in {code for _, code in found}:
            missed[file.name] = found
    assert missed == {}
    assert len(files) == len(CAUSES)
