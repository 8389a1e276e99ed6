"""Workflows, services, workers, computes and volumes as they are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dataos_dagster.manifests.diagnostics import Severity


def workflow(dag: str, *, schedule: str = "") -> str:
    """Return a workflow; the first line of `dag` is line 6 of the file, or 7 below a schedule."""
    lines = f"  schedule: {schedule}\n" if schedule else ""
    return f"name: wf\nversion: v1\ntype: workflow\nworkflow:\n{lines}  dag:\n{dag}"


def job(name: str, rest: str = "") -> str:
    return f"    - {{name: {name}, spec: {{stack: toolbox, compute: runnable-default, stackSpec: {{}}}}{rest}}}\n"


ONE = job("a")


@pytest.fixture
def read(project_of):
    """Return a function that gives the section of a manifest, and its diagnostics without what is only told."""

    def load(text, **options):
        project = project_of(text, **options)
        said = [found for found in project.diagnostics if found.severity is not Severity.INFO]
        return (project.resources[0].section if project.resources else None), said

    return load


def codes(diagnostics):
    return [found.code for found in diagnostics]


class TestSchedule:
    def test_it_is_read_with_its_defaults(self, read):
        section, found = read(workflow(ONE, schedule="{cron: '15  5 * * *'}"))

        assert found == []
        assert (section.schedule.cron, section.schedule.timezone) == ("15 5 * * *", "UTC")
        assert section.schedule.concurrency_policy == "Allow"
        assert section.schedule.end is None

    @pytest.mark.parametrize("policy", ["Forbid", "forbid", "FORBID"])
    def test_the_policy_is_taken_in_any_letter_case(self, read, policy):
        section, _ = read(workflow(ONE, schedule=f"{{cron: '* * * * *', concurrencyPolicy: {policy}}}"))

        assert section.schedule.concurrency_policy == "Forbid"

    @pytest.mark.parametrize(
        ("cron", "hint"),
        [
            ("/10 * * * *", "write '*/10'"),
            ("0 0 5 * * *", "minute, hour, day of month, month, day of week"),
            ("* * * *", "minute, hour"),
            ("60 * * * *", "0 to 59"),
            ("* 5-2 * * *", "the lower number first"),
            ("*/0 * * * *", "0 to 59"),
            ("* * * foo *", "1 to 12"),
            ("* * * * mon-", "0-7"),
        ],
    )
    def test_a_wrong_cron_is_refused_with_what_to_write(self, read, cron, hint):
        section, [wrong] = read(workflow(ONE, schedule=f"{{cron: '{cron}'}}"))

        assert section is None
        assert (wrong.code, wrong.line) == ("bad-cron", 5)
        assert hint in wrong.hint

    @pytest.mark.parametrize("cron", ["*/5 * * * *", "0,30 9-17 * jan-mar mon-fri", "0 0 1 */2 7", "5/15 * * * *"])
    def test_every_form_of_a_field_is_accepted(self, read, cron):
        assert read(workflow(ONE, schedule=f"{{cron: '{cron}'}}"))[1] == []

    @pytest.mark.parametrize("zone", ["Kolkata", "../../etc/passwd", "/etc/passwd", "Europe", ""])
    def test_an_unknown_time_zone_is_refused(self, read, zone):
        _, [wrong] = read(workflow(ONE, schedule=f"{{cron: '* * * * *', timezone: '{zone}'}}"))

        assert wrong.code == "bad-timezone"

    @pytest.mark.parametrize(
        "moment", ["2031-01-01T00:00:00Z", "'2031-01-01T05:30:00+05:30'", "2031-01-01T00:00:00", "2031-01-01 00:00:00"]
    )
    def test_moments_are_absolute(self, read, moment):
        section, found = read(workflow(ONE, schedule=f"{{cron: '* * * * *', timezone: Asia/Kolkata, endOn: {moment}}}"))

        assert found == []
        assert section.schedule.end == datetime(2031, 1, 1, tzinfo=UTC)

    def test_the_earlier_of_both_ends_counts(self, read):
        section, _ = read(
            workflow(ONE, schedule="{cron: '* * * * *', endOn: 2031-01-01T00:00:00Z, completeOn: 2030-01-01T00:00:00Z}")
        )

        assert section.schedule.end == datetime(2030, 1, 1, tzinfo=UTC)

    def test_a_text_that_is_no_moment_is_refused(self, read):
        _, [wrong] = read(workflow(ONE, schedule="{cron: '* * * * *', endOn: next year}"))

        assert wrong.code == "wrong-value"
        assert "2031-01-01T00:00:00Z" in wrong.message


class TestDag:
    def test_dependencies_may_be_one_text(self, read):
        section, found = read(workflow(ONE + job("b", ", dependencies: a")))

        assert found == []
        assert section.dag[1].dependencies == ("a",)

    @pytest.mark.parametrize("written", ["c", "[a, c]"])
    def test_an_unknown_dependency_is_located(self, read, written):
        section, [wrong] = read(workflow(ONE + job("b", f", dependencies: {written}")))

        assert (wrong.code, wrong.severity, wrong.line) == ("unknown-dependency", "error", 7)
        assert "`c`" in wrong.message
        assert section is not None

    def test_a_circle_is_refused_and_shown(self, read):
        dag = job("a", ", dependencies: [c]") + job("b", ", dependencies: [a]") + job("c", ", dependencies: [b]")
        section, [wrong] = read(workflow(dag))

        assert section is None
        assert wrong.code == "dependency-cycle"
        assert "a → c → b → a" in wrong.message

    def test_a_job_that_waits_for_itself_is_a_circle(self, read):
        _, [wrong] = read(workflow(job("a", ", dependencies: [a]")))

        assert wrong.code == "dependency-cycle"

    def test_names_are_unique_in_a_dag(self, read):
        _, [wrong] = read(workflow(ONE + ONE))

        assert (wrong.code, wrong.line) == ("duplicate-name", 7)

    def test_a_dag_has_at_least_one_entry(self, read):
        _, [wrong] = read("name: wf\nversion: v1\ntype: workflow\nworkflow: {dag: []}")

        assert (wrong.code, wrong.message) == ("wrong-value", "`dag` must not be empty")

    def test_a_single_job_may_stand_without_a_list(self, read):
        section, found = read(
            "name: wf\nversion: v1\ntype: workflow\nworkflow:\n  dag:\n    name: a\n    spec: {stack: toolbox}"
        )

        assert codes(found) == ["old-form"]
        assert section.dag[0].name == "a"

    def test_an_entry_says_what_it_does(self, read):
        assert codes(read(workflow("    - {name: a}"))[1]) == ["missing-key"]

    def test_retries_are_read_in_any_letter_case(self, read):
        section, found = read(workflow(job("a", ", retry: {count: '2', strategy: onfailure, duration: 10s}")))

        assert found == []
        assert (section.dag[0].retry.count, section.dag[0].retry.strategy) == (2, "OnFailure")

    def test_a_retry_without_a_count_is_one(self, read):
        section, _ = read(workflow(job("a", ", retry: {strategy: Always}")))

        assert section.dag[0].retry.count == 1

    @pytest.mark.parametrize("key", ["retry: {count: 2}", "dependencies: [b]"])
    def test_what_belongs_beside_a_spec_may_stand_in_it(self, read, key):
        dag = f"    - name: a\n      spec:\n        stack: toolbox\n        {key}\n"
        _, found = read(workflow(dag + job("b")))

        assert codes(found)[0] == "misplaced-key"
        assert found[0].line == 9

    def test_a_nested_workflow_may_stand_in_the_spec(self, read):
        section, found = read(workflow("    - {name: a, spec: {file: x.yaml}}"))

        assert codes(found) == ["misplaced-key", "unknown-file"]
        assert (section.dag[0].file, section.dag[0].spec) == ("x.yaml", None)

    def test_the_outer_retry_wins(self, read):
        dag = "    - name: a\n      retry: {count: 3}\n      spec:\n        stack: toolbox\n        retry: {count: 9}\n"
        section, found = read(workflow(dag))

        assert codes(found) == ["misplaced-key"]
        assert section.dag[0].retry.count == 3


class TestJob:
    def test_a_stack_has_a_language_and_a_version(self, read):
        section, _ = read(workflow("    - {name: a, spec: {stack: 'soda+python:1.0', stackSpec: {}}}"))

        stack = section.dag[0].spec.stack
        assert (stack.name, stack.language, stack.version, str(stack)) == ("soda", "python", "1.0", "soda+python:1.0")

    def test_an_unknown_stack_names_the_nearest(self, read):
        text = workflow("    - {name: a, spec: {stack: 'sodda+python:1.0', stackSpec: {}}}")
        section, [wrong] = read(text)

        assert (wrong.code, wrong.severity, wrong.hint) == ("unknown-stack", "error", "did you mean `soda`?")
        [edit] = wrong.fix.edits
        assert (edit.range.start.line, edit.text) == (6, "soda")
        assert section.dag[0].spec.stack.name == "soda"

    def test_the_section_of_a_misspelt_stack_is_checked_as_that_of_the_nearest(self, read):
        _, found = read(workflow("    - {name: a, spec: {stack: 'flair:7.0', stackSpec: {job: {inputs: 3}}}}"))

        assert sorted(each.code for each in found) == ["unknown-stack", "wrong-type"]

    def test_a_stack_of_the_installations_own_is_only_doubtful(self, read):
        _, [found] = read(workflow("    - {name: a, spec: {stack: invoicer, stackSpec: {}}}"))

        assert (found.code, found.severity) == ("unknown-stack", "warning")

    def test_services_and_workers_are_not_run_and_say_so(self, project_of):
        [found] = project_of(
            "name: w\nversion: v1beta\ntype: worker\nworker: {stack: bento, stackSpec: {}}"
        ).diagnostics

        assert (found.code, found.severity) == ("not-run", "info")

    def test_other_stacks_keep_their_section_as_it_is(self, read):
        section, _ = read(workflow("    - {name: a, spec: {stack: soda, stackSpec: {inputs: [1, null]}}}"))

        assert section.dag[0].spec.stack_spec == {"inputs": [1, None]}

    def test_the_section_named_after_any_stack_is_the_stack_spec(self, read):
        section, found = read(workflow("    - {name: a, spec: {stack: alpha, alpha: {image: x}}}"))

        assert codes(found) == ["old-form"]
        assert section.dag[0].spec.stack_spec == {"image": "x"}

    def test_environment_variables_are_texts(self, read):
        section, _ = read(workflow("    - {name: a, spec: {stack: soda, stackSpec: {}, envs: {A: true, B: 1, C: x}}}"))

        assert section.dag[0].spec.envs == {"A": "true", "B": "1", "C": "x"}

    def test_secrets_are_read_in_every_spelling(self, read):
        spec = "{stack: soda, stackSpec: {}, secrets: [one], dataosSecrets: [{name: two, allkeys: true, consumptionType: PropFile}]}"
        section, found = read(workflow(f"    - {{name: a, spec: {spec}}}"), allow_placeholders=True)

        assert codes(found) == ["unknown-secret", "unknown-secret"]
        two, one = section.dag[0].spec.secret_references
        assert (one.name, one.selected) == ("one", None)
        assert (two.all_keys, two.selected, two.consumption_type) == (True, None, "propFile")

    def test_an_api_key_is_secret(self, read):
        section, _ = read(workflow("    - {name: a, spec: {stack: soda, stackSpec: {}, runAsApiKey: geheim}}"))

        assert section.dag[0].spec.run_as_api_key.get_secret_value() == "geheim"
        assert "geheim" not in repr(section)

    def test_values_of_the_environment_are_in_no_repr(self, read):
        section, _ = read(workflow("    - {name: a, spec: {stack: soda, stackSpec: {}, envs: {PASSWORD: geheim}}}"))

        assert "geheim" not in repr(section)

    def test_a_flare_job_needs_its_section(self, read):
        _, [wrong] = read(workflow("    - {name: a, spec: {stack: 'flare:7.0'}}"))

        assert (wrong.code, wrong.message) == ("missing-key", "`stackSpec` is missing")


class TestLongRunning:
    def test_a_service_is_read(self, read):
        section, found = read("""
            name: api
            version: v1
            type: service
            service:
              servicePort: 8080
              ingress: {enabled: true, path: /api, stripPath: false, noAuthentication: true}
              replicas: 2
              autoScaling: {enabled: true, minReplicas: 1, maxReplicas: 4, targetCPUUtilizationPercentage: 80}
              stack: bento
              logLevel: debug
              compute: runnable-default
              resources: {requests: {cpu: 100m, memory: 128Mi}}
              stackSpec: {input: {}}
        """)

        assert found == []
        assert (section.replicas, section.service_port, section.log_level) == (2, 8080, "DEBUG")
        assert section.auto_scaling.target_cpu_utilization_percentage == 80
        assert section.ingress.path == "/api"

    def test_a_worker_is_read(self, read):
        section, found = read(
            "name: w\nversion: v1beta\ntype: worker\nworker: {stack: 'bento-worker:3.0', replicas: 1, bento-worker: {input: {}}}"
        )

        assert codes(found) == ["old-form"]
        assert section.stack_spec == {"input": {}}

    @pytest.mark.parametrize("port", ["0", "70000", "http", "[8080]"])
    def test_a_port_is_a_port(self, read, port):
        _, [wrong] = read(
            f"name: api\nversion: v1\ntype: service\nservice: {{stack: bento, servicePort: {port}, stackSpec: {{}}}}"
        )

        assert wrong.code in {"wrong-value", "wrong-type"}


class TestInfrastructure:
    def test_a_compute_is_read(self, read):
        section, found = read("""
            name: query-default
            version: v1
            type: compute
            compute:
              dataplane: hub
              purpose: query
              nodePool:
                nodeSelector: {dataos.io/purpose: query}
                tolerations:
                  - {key: dedicated, operator: Equal, value: query, effect: NoSchedule}
        """)

        assert found == []
        assert section.node_pool.tolerations[0].effect == "NoSchedule"

    def test_a_volume_is_read(self, read):
        section, found = read(
            "name: v\nversion: v1beta\ntype: volume\nvolume: {size: 1Gi, accessMode: readwritemany, type: TEMP}"
        )

        assert found == []
        assert (section.access_mode, section.type) == ("ReadWriteMany", "temp")
