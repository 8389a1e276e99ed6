"""Files become documents, or say in their own place why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from effort import lines_run
from privileges import open_folder, without_privileges

from dataos_dagster.manifests.composing import MOST_ALIASED_VALUES
from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.project import load_project
from dataos_dagster.manifests.reader import read_file, read_text
from dataos_dagster.manifests.source import Unreadable, read_bytes
from dataos_dagster.settings import LimitSettings

LIMITS = LimitSettings()


def read(text: str, *, limits: LimitSettings = LIMITS):
    return read_text(text, file=Path("orders.yaml"), name="orders.yaml", limits=limits)


def read_content(folder: Path, content: bytes):
    file = folder / "orders.yaml"
    file.write_bytes(content)
    return read_file(file, name="orders.yaml", limits=LIMITS)


def only_error(diagnostics):
    [found] = diagnostics
    assert found.severity is Severity.ERROR
    return found


def test_each_document_of_a_file_has_its_number_and_values():
    documents, diagnostics = read("name: a\n---\nname: b\n---\n# nothing\n---\nname: c\n")
    assert [(document.index, document.data) for document in documents] == [
        (0, {"name": "a"}),
        (1, {"name": "b"}),
        (2, {"name": "c"}),
    ]
    assert diagnostics == []


def test_items_of_a_list_are_documents_with_positions_of_the_file():
    documents, _ = read("- name: a\n  type: x\n- name: b\n")
    assert [document.data for document in documents] == [{"name": "a", "type": "x"}, {"name": "b"}]
    assert str(documents[1].location(("name",))) == "orders.yaml:3:9"


def test_values_are_what_the_platform_reads():
    text = "a: yes\nb: on\nc: 2024-01-02\nd: 12:30:45\ne: 0755\nf: 1.50\ng: ~\nh: true\n1: one\ni: 1e3\nj: '7'\nk: .inf\nl:"
    [document], _ = read(text)
    assert document.data == {
        "a": "yes", "b": "on", "c": "2024-01-02", "d": "12:30:45", "e": 493, "f": 1.5, "g": None, "h": True,
        "1": "one", "i": 1000.0, "j": "7", "k": float("inf"), "l": None,
    }  # fmt: skip


def test_each_value_and_key_is_located():
    [document], _ = read("name: a\nworkflow:\n  dag:\n    - name: x\n      spec:\n        stack: flare\n")
    path = ("workflow", "dag", 0, "spec", "stack")
    assert str(document.location(path)) == "orders.yaml:6:16"
    assert str(document.location(path, key=True)) == "orders.yaml:6:9"
    assert str(document.location(("workflow", "dag", 7, "name"))) == "orders.yaml:4:5"
    block = document.range_of(("workflow",))
    assert ((block.start.line, block.start.column), (block.end.line, block.end.column)) == ((3, 3), (6, 21))


def test_merged_and_aliased_values_are_located_where_they_are_written():
    [document], diagnostics = read("base: &base {a: 1, b: 2}\nuse:\n  <<: *base\n  b: 3\nagain: *base\n")
    assert diagnostics == []
    assert document.data == {"base": {"a": 1, "b": 2}, "use": {"b": 3, "a": 1}, "again": {"a": 1, "b": 2}}
    assert str(document.location(("use", "a"))) == "orders.yaml:1:17"
    assert str(document.location(("use", "b"))) == "orders.yaml:4:6"
    assert str(document.location(("again", "b"))) == "orders.yaml:1:23"


def test_the_last_of_two_equal_keys_counts_and_the_first_is_named():
    [document], [found] = read("job:\n  logLevel: INFO\n  explain: true\n  logLevel: WARN\n")
    assert document.data == {"job": {"explain": True, "logLevel": "WARN"}}
    assert (found.code, found.severity, found.location, found.path) == (
        "duplicate-key", Severity.WARNING, "orders.yaml:4:3", ("job",),
    )  # fmt: skip
    assert "first on line 2" in found.message
    assert str(document.location(("job", "logLevel"))) == "orders.yaml:4:13"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_line_breaks_of_every_system_count_alike(line_break):
    [document], _ = read(line_break.join(["name: a", "type: x", "x: {y: 1}", ""]))
    assert str(document.location(("x", "y"))) == "orders.yaml:3:8"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    [document], diagnostics = read_content(tmp_path, b"\xef\xbb\xbfname: a\n")
    assert (document.data, diagnostics) == ({"name": "a"}, [])
    assert str(document.location(("name",))) == "orders.yaml:1:7"


def test_a_missing_file_is_an_error_not_an_exception(tmp_path):
    documents, diagnostics = read_file(tmp_path / "nowhere.yaml", name="nowhere.yaml", limits=LIMITS)
    assert documents == []
    assert only_error(diagnostics).code == "file-missing"


def test_a_folder_is_no_manifest(tmp_path):
    _, diagnostics = read_file(tmp_path, name="folder", limits=LIMITS)
    assert only_error(diagnostics).code == "file-unreadable"


def test_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    _, diagnostics = read_file(pipe, name="pipe.yaml", limits=LIMITS)
    assert only_error(diagnostics).code == "file-unreadable"


@pytest.mark.parametrize("name", ["a\0b.yaml", "a" * 5000])
def test_a_name_that_no_file_can_have_is_an_error_not_an_exception(tmp_path, name):
    _, diagnostics = read_file(tmp_path / name, name="x.yaml", limits=LIMITS)
    assert only_error(diagnostics).code in {"file-missing", "file-unreadable"}


def test_a_file_without_read_permission_says_so():
    with open_folder() as folder:
        file = folder / "orders.yaml"
        file.write_text("name: a")
        file.chmod(0)
        with without_privileges():
            _, diagnostics = read_file(file, name="orders.yaml", limits=LIMITS)
    assert only_error(diagnostics).code == "file-unreadable"


def test_a_folder_that_cannot_be_searched_is_a_warning_and_the_others_are_read():
    with open_folder() as folder:
        (folder / "orders.yaml").write_text("name: scratch\nversion: v1beta\ntype: volume\nvolume: {size: 1Gi}\n")
        (folder / "closed").mkdir(mode=0)
        with without_privileges():
            project = load_project(folder, environment={}, use_cache=False)
        (folder / "closed").chmod(0o755)
    [found] = project.diagnostics
    assert (found.code, found.severity, found.file) == ("folder-unreadable", Severity.WARNING, "closed")
    assert [resource.name for resource in project.resources] == ["scratch"]


def test_a_link_that_leads_nowhere_says_so(tmp_path):
    (tmp_path / "orders.yaml").symlink_to(tmp_path / "nowhere.yaml")
    _, diagnostics = read_file(tmp_path / "orders.yaml", name="orders.yaml", limits=LIMITS)
    found = only_error(diagnostics)
    assert (found.code, found.message) == ("file-missing", "the link leads to no file")


@pytest.mark.parametrize(
    ("content", "code", "location"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary-file", "orders.yaml:1:1"),
        (b"PAR1\x15\x04\x15\x00\x00", "binary-file", "orders.yaml:1:1"),
        ("name: a".encode("utf-16"), "not-utf8", "orders.yaml:1:1"),
        (b"name: a\ntitle: caf\xe9\n" + b"# a comment of some length\n" * 20, "not-utf8", "orders.yaml:2:11"),
        (b"name: a\ntitle: x\x1by\n" + b"# a comment of some length\n" * 20, "control-character", "orders.yaml:2:9"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_its_place(tmp_path, content, code, location):
    documents, diagnostics = read_content(tmp_path, content)
    assert documents == []
    assert (only_error(diagnostics).code, diagnostics[0].location) == (code, location)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# a comment\n", b"---\n---\n"])
def test_an_empty_file_is_a_warning(tmp_path, content):
    documents, [found] = read_content(tmp_path, content)
    assert documents == []
    assert (found.code, found.severity) == ("empty-file", Severity.WARNING)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "large.yaml"
    file.write_bytes(b"- a\n" * 12_500_000)
    found = []
    cost = lines_run(lambda: found.append(read_file(file, name="large.yaml", limits=LIMITS)))
    [(documents, diagnostics)] = found
    assert documents == []
    assert only_error(diagnostics).code == "file-too-large"
    assert "50,000,000 bytes" in diagnostics[0].message
    assert cost < 1000


def test_a_file_of_unknown_size_is_read_to_its_end_and_no_further_than_allowed():
    file = Path("/proc/version")  # has no size until it is read
    assert file.stat().st_size == 0
    assert read_bytes(file, 5_000_000) == file.read_bytes()
    refused = read_bytes(file, 10)
    assert isinstance(refused, Unreadable)
    assert refused.code == "file-too-large"


def test_a_document_deeper_than_the_fast_decoder_goes_has_its_values():
    data = {"a": 1.5}
    for _ in range(290):
        data = {"a": data}
    text = yaml.safe_dump(data, default_flow_style=True)
    [document], [] = read_text(text, file=Path("m.yaml"), name="m.yaml", limits=LimitSettings(depth=300))
    assert document.data == data


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 200_000,
        "- " * 200_000 + "a",
        "a: " + "{b: " * 60_000,
        "\n".join(" " * i + "k:" for i in range(1500)),
    ],
)
def test_deep_nesting_is_refused_before_the_composer_dies_of_it(text):
    documents, diagnostics = read(text)
    assert documents == []
    assert only_error(diagnostics).code == "too-deep"


def test_the_deepest_nesting_that_is_allowed_is_a_setting():
    text = "a: " + "[" * 20 + "]" * 20
    assert read(text)[1] == []
    assert only_error(read(text, limits=LimitSettings(depth=10))[1]).code == "too-deep"
    assert only_error(read("a: " + "[" * 400 + "]" * 400, limits=LimitSettings(depth=10_000))[1]).code == "too-deep"


@pytest.mark.parametrize(
    "level",
    [
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]",
        "a{0}: &a{0} {{x: *a{1}, y: *a{1}}}",
    ],
)
def test_a_bomb_of_aliases_is_refused_before_it_is_expanded(level):
    text = "a0: &a0 [x, x]\n" + "\n".join(level.format(i, i - 1) for i in range(1, 40))
    found = []
    cost = lines_run(lambda: found.append(read(text)))
    [(documents, diagnostics)] = found
    assert documents == []
    assert only_error(diagnostics).code == "alias-bomb"
    assert cost < 30 * MOST_ALIASED_VALUES


def test_a_bomb_of_merges_is_refused():
    text = "a0: &a0 {x: 1}\n" + "\n".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}" for i in range(1, 40))
    assert only_error(read(text)[1]).code == "alias-bomb"


def test_an_alias_inside_its_own_anchor_is_refused():
    assert only_error(read("a: &a\n  b: *a\n")[1]).code == "recursive-alias"


@pytest.mark.parametrize("text", ["name:orders", "just text", "42", "- a\n- b"])
def test_a_document_that_is_no_mapping_is_refused(text):
    documents, diagnostics = read(text)
    assert documents == []
    assert {found.code for found in diagnostics} == {"not-a-mapping"}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("name: margin,\ntype: number\n", "trailing-comma", 1, 13),
        ("tags:\n  -sales\n  -daily\n", "missing-space-after-dash", 2, 3),
        ("workflow:\n  name:orders\n", "missing-space-after-colon", 2, 7),
        ("name: a\n# Resource meta sectionversion: v1\n", "key-in-comment", 2, 24),
        ("description: {{description}}\n", "unquoted-braces", 1, 14),
        ("title: !important news\n", "unknown-tag", 1, 8),
        ("version: “v1”\n", "typographic-quotes", 1, 10),
        ("workflow:\n\u00a0\u00a0dag: []\n", "odd-space", 2, 1),
        ("sequence: all\n  - a\n", "list-below-value", 1, 11),
        ("tags:\n  \u2013 sales\n  \u2013 daily\n", "odd-dash", 2, 3),
        ("type: depot\ndepot:\ntype: BIGQUERY\n", "section-not-indented", 2, 1),
    ],
)
def test_what_yaml_reads_otherwise_than_its_writer_is_a_warning(text, code, line, column):
    [document], diagnostics = read(text)
    found = next(one for one in diagnostics if one.code == code)
    assert (found.severity, found.line, found.column) == (Severity.WARNING, line, column)
    assert found.hint
    assert document.data


@pytest.mark.parametrize(
    "text",
    [
        "sql: |\n  select a,\n  b: c,\n  -x\n",
        "tags: [a, b]\ndataset: dataos://lakehouse:retail/orders\n",
        "arguments:\n  - -x\n  - --flag=1\n",
        "description: long\n  text - with a dash\n",
        "time: 12:30\nref: dataset:lakehouse:retail:orders\n",
        "a: -5\nb: >\n  -text\n",
        "workflow:\n# a comment\n  dag: []\n",
        "service:\nname: a\n",
    ],
)
def test_ordinary_texts_are_not_taken_for_misread_ones(text):
    assert read(text)[1] == []


def test_a_document_keeps_its_values_out_of_its_repr():
    [document], _ = read("type: secret\nsecret: {data: {password: hunter2}}\n")
    assert "hunter2" not in repr(document)


def test_a_snippet_is_refused_when_the_file_has_changed_since(tmp_path):
    file = tmp_path / "orders.yaml"
    file.write_text("name: a\ntype: workflow\n")
    [document], _ = read_file(file, name="orders.yaml", limits=LIMITS)
    place = document.range_of(("type",))
    assert document.snippet(place) == "1 | name: a\n2 | type: workflow\n  |       ^^^^^^^^"
    file.write_text("# moved\nname: a\ntype: workflow\n")
    assert document.snippet(place) is None


def test_numbers_that_no_machine_holds_stay_text_or_become_infinite():
    [document], _ = read(f"a: {'9' * 5000}\nb: 1e999\nc: {'9' * 50}\n")
    assert document.data == {"a": "9" * 5000, "b": float("inf"), "c": int("9" * 50)}


def test_values_are_those_of_json_whatever_yaml_has_for_them(tmp_path):
    text = "1: a\nnull: b\n2024-01-01: 2024-01-02\n!!binary aGk=: !!binary aGk=\ntrue: [!!timestamp 2024-01-01, !!set {x}]\n"
    (tmp_path / "odd.yaml").write_text(text, encoding="utf-8")
    [document], _ = read_file(tmp_path / "odd.yaml", name="odd.yaml", limits=LimitSettings())
    assert document.data == {
        "1": "a",
        "null": "b",
        "2024-01-01": "2024-01-02",
        "aGk=": "aGk=",
        "true": ["2024-01-01", {"x": None}],
    }
