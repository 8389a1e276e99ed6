"""A folder of manifests as one project: what is read, in which order, and what leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataos_dagster.manifests.diagnostics import Severity
from dataos_dagster.manifests.project import load_project
from dataos_dagster.settings import load_settings

DEPOT = "name: {name}\nversion: v2alpha\ntype: depot\ndepot:\n  type: file\n  file: {{path: ./data}}"
SECRET = """
name: ferry-r
version: v1
type: instance-secret
instance-secret:
  type: key-value-properties
  acl: r
  data: {username: svc, password: geheim}
"""
WORKFLOW = """
name: {name}
version: v1
type: workflow
workflow:
  dag:
    - name: load
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs:
              - name: tickets
                dataset: dataos://{depot}:none/tickets.csv
            outputs:
              - name: tickets
                dataset: dataos://lakehouse:sales/tickets?acl=rw
"""


def workflow(name="wf", depot="lakehouse"):
    return WORKFLOW.format(name=name, depot=depot)


def found(project, code):
    return [item for item in project.diagnostics if item.code == code]


def names(project):
    return [resource.name for resource in project.resources]


class TestReading:
    def test_several_documents_and_list_files_are_read_in_order(self, project_of):
        volume = "{{name: {0}, version: v1beta, type: volume, volume: {{size: 1Gi}}}}"
        listed = f"- {volume.format('c')}\n- {volume.format('d')}"
        project = project_of(volume.format("a"), volume.format("b"), files={"z.yml": listed})

        assert names(project) == ["a", "b", "c", "d"]
        assert project.documents == 4
        assert [file.name for file in project.files] == ["manifest.yaml", "z.yml"]

    def test_one_broken_document_hides_no_other(self, project_of):
        project = project_of(
            workflow("a"),
            "name: b\nversion: v1\ntype: workflow\nworkflow: {dag: 3}",
            workflow("c"),
            files={"x.yaml": "a: [1"},
        )

        assert names(project) == ["a", "c"]
        assert {item.file for item in project.errors} == {"manifest.yaml", "x.yaml"}

    def test_yaml_of_other_programs_is_left_alone_in_a_folder(self, project_of):
        project = project_of(
            files={
                "docker-compose.yaml": "services: {}",
                "dagster.yaml": "storage: {}",
                ".github/workflows/ci.yaml": "name: a\ntype: workflow",
                "lens/tables.yml": "tables:\n  - name: orders",
                "steps.yaml": "sequence: []",
            }
        )

        assert project.resources == ()
        assert project.diagnostics == ()

    def test_a_file_that_was_named_must_be_a_manifest(self, tmp_path):
        file = tmp_path / "steps.yaml"
        file.write_text("sequence: []")

        project = load_project(file, environment={}, use_cache=False)

        assert [item.code for item in project.errors] == ["missing-key"]

    def test_a_missing_file_is_a_diagnostic(self, tmp_path):
        project = load_project(tmp_path / "nowhere.yaml", environment={}, use_cache=False)

        assert [item.code for item in project.errors] == ["file-missing"]

    def test_settings_say_which_folders_hold_manifests(self, project_of):
        project = project_of(
            files={
                "dataos.yaml": "manifests: [product]",
                "product/wf.yaml": workflow("inside"),
                "other/wf.yaml": workflow("outside"),
            }
        )

        assert names(project) == ["inside"]
        assert project.resources[0].document.name == "product/wf.yaml"

    def test_the_project_is_the_nearest_folder_with_settings(self, project_of, tmp_path):
        project_of(files={"dataos.yaml": "", "product/wf.yaml": workflow()})

        project = load_project(tmp_path / "product", environment={}, use_cache=False)

        assert project.root == tmp_path.resolve()
        assert project.resources[0].document.name == "product/wf.yaml"

    def test_diagnostics_are_sorted_by_file_and_line(self, project_of):
        project = project_of(
            workflow(depot="b1"), workflow("wg", depot="b2"), files={"a.yaml": workflow("wh", depot="b3")}
        )

        places = [(item.file, item.line) for item in project.diagnostics]
        assert places == sorted(places)
        assert len(places) == 3


class TestCache:
    def test_a_warm_load_says_the_same_as_a_cold_one(self, project_of, tmp_path):
        files = {
            "a.yaml": workflow("a", depot="nowhere"),
            "b.yaml": workflow("b").replace("stackSpec", "flare"),
            "depot.yaml": DEPOT.format(name="files"),
            "secret.yaml": SECRET,
        }
        cold = project_of(files=files, use_cache=True)
        warm = load_project(tmp_path, environment={})
        without = load_project(tmp_path, environment={}, use_cache=False)

        assert (tmp_path / ".dataos" / "cache").is_dir()
        for project in (warm, without):
            assert project.diagnostics == cold.diagnostics
            assert [r.section for r in project.resources] == [r.section for r in cold.resources]

    def test_a_change_is_seen(self, project_of, tmp_path):
        project_of(workflow("before"), use_cache=True)
        (tmp_path / "manifest.yaml").write_text(workflow("after"))

        assert names(load_project(tmp_path, environment={})) == ["after"]

    def test_variables_are_put_in_at_every_load(self, project_of, tmp_path):
        project_of(workflow("$NAME"), use_cache=True, environment={"NAME": "one"})

        assert names(load_project(tmp_path, environment={"NAME": "two"})) == ["two"]

    def test_no_secret_reaches_the_cache(self, project_of, tmp_path):
        project_of(SECRET, use_cache=True)

        kept = b"".join(file.read_bytes() for file in (tmp_path / ".dataos").rglob("*") if file.is_file())
        assert b"geheim" not in kept


class TestReferences:
    def test_an_unknown_depot_is_an_error_and_its_job_stays_visible(self, project_of):
        project = project_of(workflow(depot="lakehous"))

        [item] = found(project, "unknown-depot")
        assert (item.severity, item.line) == (Severity.ERROR, 15)
        assert item.hint == "did you mean `lakehouse`?"
        assert names(project) == ["wf"]

    def test_an_unknown_depot_of_a_template_is_a_warning(self, project_of):
        project = project_of(workflow(depot="nowhere"), allow_placeholders=True)

        assert [item.severity for item in found(project, "unknown-depot")] == [Severity.WARNING]
        assert project.errors == ()

    @pytest.mark.parametrize("depot", ["lakehouse", "icebase", "files", "Files"])
    def test_depots_are_found_by_manifest_by_alias_and_in_any_letter_case(self, project_of, depot):
        assert project_of(workflow(depot=depot), DEPOT.format(name="files")).diagnostics == ()

    def test_a_catalog_of_the_settings_declares_a_depot(self, project_of):
        settings = {"dataos.yaml": "catalogs:\n  ferries: {uri: 'http://localhost:8181'}"}

        assert project_of(workflow(depot="ferries"), files=settings).diagnostics == ()

    def test_a_lakehouse_makes_the_depot_of_its_storage(self, project_of):
        lakehouse = """
            name: dock
            version: v1alpha
            type: lakehouse
            workspace: harbour
            lakehouse:
              iceberg:
                storage: {type: s3, s3: {bucket: dock}}
        """

        assert project_of(workflow(depot="dock0harbour0storage"), lakehouse).diagnostics == ()

    def test_a_database_makes_a_depot(self, project_of):
        database = "name: orders\nversion: v1\ntype: database\ndatabase:\n  migrate: {includes: [a], command: up}"

        assert project_of(workflow(depot="ordersdatabase"), database).errors == ()

    def test_an_unknown_secret_is_located_at_its_name(self, project_of):
        text = workflow().replace("compute: runnable-default", "dataosSecrets: [{name: ferry-rw}]")

        [item] = found(project_of(text, SECRET), "unknown-secret")
        assert (item.severity, item.line, item.hint) == (Severity.ERROR, 10, "did you mean `ferry-r`?")

    def test_a_secret_of_another_workspace_is_not_found_and_its_workspace_is_named(self, project_of):
        secret = SECRET.replace("instance-secret", "secret").replace(
            "type: secret\n", "type: secret\nworkspace: docks\n"
        )
        text = workflow().replace("compute: runnable-default", "dataosSecrets: [{name: ferry-r, workspace: harbour}]")

        [item] = found(project_of(text, secret), "unknown-secret")
        assert "docks" in item.hint

    def test_a_secret_in_the_environment_is_known(self, project_of):
        text = workflow().replace("compute: runnable-default", "dataosSecrets: [ferry-rw]")
        environment = {"DATAOS_SECRET__FERRY_RW__PASSWORD": "x"}

        assert project_of(text, environment=environment).diagnostics == ()

    def test_a_secret_that_is_nowhere_is_said_with_the_places_in_order_and_how_to_keep_it(self, project_of):
        text = workflow().replace("compute: runnable-default", "dataosSecrets: [geo-coder]")

        [item] = found(project_of(text, SECRET), "unknown-secret")
        places = item.message.split("looked in: ")[1].split("; ")
        assert places[:2] == ["manifests of the project", "environment variables DATAOS_SECRET__GEO_CODER__<KEY>"]
        assert places[2].endswith("secrets.enc (not there)")
        assert item.hint == "set it with: dataos secret set geo-coder KEY …"

    def test_an_encrypted_store_makes_it_a_remark(self, project_of):
        text = workflow().replace("compute: runnable-default", "dataosSecrets: [ferry-rw]")

        project = project_of(text, files={".dataos/secrets.enc": "…"})

        assert [item.severity for item in found(project, "unknown-secret")] == [Severity.INFO]

    def test_a_write_needs_a_secret_for_writing(self, project_of):
        depot = "name: ferry\nversion: v2alpha\ntype: depot\ndepot: {type: s3, s3: {bucket: b}, secrets: [ferry-r]}"
        text = workflow().replace("dataos://lakehouse:sales", "dataos://ferry:sales")

        [item] = project_of(text, depot, SECRET).diagnostics
        assert (item.code, item.severity, item.line) == ("missing-access", Severity.WARNING, 18)
        assert "ferry-r (r)" in item.message
        assert project_of(text, depot, SECRET.replace("acl: r", "acl: rw")).diagnostics == ()

    def test_an_unknown_compute_is_a_warning(self, project_of):
        [item] = project_of(workflow().replace("runnable-default", "big")).diagnostics

        assert (item.code, item.severity) == ("unknown-compute", Severity.WARNING)

    def test_the_second_resource_of_a_name_is_left_out(self, project_of):
        project = project_of(workflow("a"), files={"z.yaml": workflow("a")})

        [item] = found(project, "duplicate-resource")
        assert (item.file, item.line) == ("z.yaml", 2)
        assert "manifest.yaml:2:7" in item.message
        assert [resource.document.name for resource in project.resources] == ["manifest.yaml"]

    def test_one_name_in_two_workspaces_is_two_resources(self, project_of):
        other = workflow("a").replace("type: workflow", "type: workflow\nworkspace: other")

        assert project_of(workflow("a"), other).diagnostics == ()

    def test_the_default_workspace_counts_as_written(self, project_of):
        public = workflow("a").replace("type: workflow", "type: workflow\nworkspace: public")

        assert [item.code for item in project_of(workflow("a"), public).diagnostics] == ["duplicate-resource"]


class TestNestedFiles:
    NESTING = "name: {0}\nversion: v1\ntype: workflow\nworkflow:\n  dag:\n    - name: inner\n      file: {1}"

    def test_a_nested_file_counts_from_the_folder_of_the_manifest(self, project_of):
        files = {
            "deep/outer.yaml": self.NESTING.format("outer", "./parts/inner.yaml"),
            "deep/parts/inner.yaml": workflow(),
        }

        project = project_of(files=files)

        assert project.diagnostics == ()
        assert names(project) == ["outer", "wf"]

    def test_a_nested_file_outside_of_what_was_given_is_read_too(self, project_of, tmp_path):
        project_of(files={"outer.yaml": self.NESTING.format("outer", "inner.yaml"), "inner.yaml": workflow()})

        project = load_project(tmp_path / "outer.yaml", environment={}, use_cache=False)

        assert names(project) == ["wf", "outer"]
        assert len(project.files) == 2

    def test_a_missing_nested_file_is_located(self, project_of):
        [item] = project_of(self.NESTING.format("outer", "gone.yaml")).diagnostics

        assert (item.code, item.severity, item.line) == ("unknown-file", Severity.ERROR, 7)

    def test_a_nested_file_of_another_kind_is_refused(self, project_of):
        [item] = project_of(
            self.NESTING.format("outer", "depot.yaml"), files={"depot.yaml": DEPOT.format(name="files")}
        ).diagnostics

        assert item.code == "unknown-file"
        assert "holds no workflow" in item.message

    def test_files_that_nest_each_other_are_an_error(self, project_of):
        project = project_of(
            files={
                "a.yaml": self.NESTING.format("a", "b.yaml"),
                "b.yaml": self.NESTING.format("b", "c.yaml"),
                "c.yaml": self.NESTING.format("c", "a.yaml"),
            }
        )

        [item] = project.diagnostics
        assert (item.code, item.severity) == ("include-cycle", Severity.ERROR)
        assert "a → b → c → a" in item.message

    def test_a_long_chain_of_files_is_no_circle(self, project_of):
        files = {f"{index:04}.yaml": self.NESTING.format(f"w{index}", f"{index + 1:04}.yaml") for index in range(300)}

        project = project_of(files=files | {"0300.yaml": workflow()})

        assert project.diagnostics == ()
        assert len(project.resources) == 301


class TestLookingUp:
    def test_resources_are_found_by_kind_and_name(self, project_of):
        project = project_of(workflow("a"), DEPOT.format(name="files"))

        assert project.find("workflow", "a") is project.of_kind("workflow")[0]
        assert project.find("depot", "a") is None
        assert project.find("workflow", "a", "elsewhere") is None

    def test_locations_lead_to_where_the_user_wrote_it(self, project_of):
        old = workflow().replace("stackSpec", "flare")

        [resource] = project_of(old).resources

        location = resource.location(("workflow", "dag", 0, "spec", "stackSpec", "job", "inputs", 0, "dataset"))
        assert (location.file, location.line, location.column) == ("manifest.yaml", 15, 26)

    def test_loading_takes_settings_as_they_are(self, tmp_path):
        Path(tmp_path / "wf.yaml").write_text(workflow())

        project = load_project(tmp_path, settings=load_settings(tmp_path), environment={}, use_cache=False)

        assert names(project) == ["wf"]


def test_a_file_that_is_not_there_is_told_beside_other_errors_of_its_document(tmp_path):
    body = "name: wf\nversion: v1\ntype: workflow\nworkflow:\n  schedule: {cron: 99 * * * *}\n"
    (tmp_path / "wf.yaml").write_text(f"{body}  dag:\n    - {{name: a, file: nowhere.yaml}}\n")
    found = load_project(tmp_path, environment={}, use_cache=False).diagnostics
    assert [(told.code, told.line) for told in found] == [("bad-cron", 5), ("unknown-file", 7)]
