"""Secrets as they are written: their values show up nowhere."""

from __future__ import annotations

import pytest


def secret(body: str, kind: str = "instance-secret") -> str:
    return f"name: ferry-r\nversion: v1\ntype: {kind}\n{kind}: {body}"


def codes(project):
    return [found.code for found in project.diagnostics]


@pytest.mark.parametrize("kind", ["secret", "instance-secret"])
@pytest.mark.parametrize(
    "type_", ["key-value", "key-value-properties", "certificate", "certificates", "cloud-kernel", "KEY-VALUE"]
)
def test_every_type_is_read(project_of, kind, type_):
    project = project_of(secret(f"{{type: {type_}, acl: R, data: {{username: svc, pin: 4711, ok: true}}}}", kind))

    assert codes(project) == []
    [resource] = project.resources
    assert {key: value.get_secret_value() for key, value in resource.section.data.items()} == {
        "username": "svc",
        "pin": "4711",
        "ok": "true",
    }


def test_values_are_in_no_repr_and_no_diagnostic(project_of):
    project = project_of(
        secret("{type: unknown, acl: x, data: {password: geheim, nested: {a: geheim}}}"),
        secret("{data: {a: geheim}}", "secret"),
    )

    assert project.errors
    assert "geheim" not in repr(project)
    assert all("geheim" not in f"{found} {found.snippet}" for found in project.diagnostics)


def test_variables_are_put_in_only_where_they_are_the_whole_value(project_of):
    project = project_of(
        secret("{acl: r, data: {a: $PASSWORD, b: '${PASSWORD}', c: 'x${PASSWORD}', d: 'p$ss'}}"),
        environment={"PASSWORD": "p@ss"},
    )

    [resource] = project.resources
    assert [value.get_secret_value() for value in resource.section.data.values()] == [
        "p@ss",
        "p@ss",
        "x${PASSWORD}",
        "p$ss",
    ]


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ("{acl: r, files: {key: ./k.json}}", {"key": "./k.json"}),
        ("{acl: r, file: ./k.json}", {"file": "./k.json"}),
        ("{acl: r, file: {key: ./k.json}}", {"key": "./k.json"}),
        ("{acl: r, key_json: ./k.json}", {"key_json": "./k.json"}),
    ],
)
def test_files_are_read_in_every_form(project_of, body, files):
    project = project_of(secret(body))

    assert project.errors == ()
    assert project.resources[0].section.files == files


def test_a_list_with_one_item_is_that_item(project_of):
    project = project_of(secret("\n  - acl: rw\n    data: {a: b}"))

    assert codes(project) == ["old-form"]
    assert project.resources[0].section.acl == "rw"


@pytest.mark.parametrize("body", ["{acl: r}", "{acl: r, data: }"])
def test_an_empty_secret_is_told(project_of, body):
    assert codes(project_of(secret(body))) == ["empty-secret"]


@pytest.mark.parametrize(
    "body", ["{acl: x, data: {a: b}}", "{type: unknown, data: {a: b}}", "{data: [a]}", "{data: {a: [b]}}", "[]", "3"]
)
def test_wrong_values_are_refused(project_of, body):
    project = project_of(secret(body))

    assert project.resources == ()
    assert all(found.line == 4 for found in project.errors)
    assert project.errors
