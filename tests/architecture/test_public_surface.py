"""What users may import: a change to this list is a change that they notice."""

import importlib.metadata
import inspect
import subprocess
import sys

import pytest

import dataos_dagster

SURFACE = [
    "Address",
    "DataOSBundleComponent",
    "DataOSError",
    "DepotResource",
    "Diagnostic",
    "JobTranslator",
    "ManifestError",
    "Project",
    "Settings",
    "Severity",
    "load_definitions",
    "load_project",
    "load_settings",
]


def test_the_surface_is_what_it_says():
    assert dataos_dagster.__all__ == SURFACE


@pytest.mark.parametrize("name", SURFACE)
def test_every_public_name_is_there_and_documented(name):
    assert inspect.getdoc(getattr(dataos_dagster, name))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'load_everything'"):
        dataos_dagster.load_everything  # noqa: B018 - the access is what fails


def test_the_names_are_offered_for_completion():
    assert set(SURFACE) <= set(dir(dataos_dagster))


def test_the_console_script_and_the_components_are_registered():
    [script] = importlib.metadata.entry_points(group="console_scripts", name="dataos")
    assert callable(script.load())
    [module] = importlib.metadata.entry_points(group="dagster_dg_cli.registry_modules", name="dataos_dagster")
    assert module.load().DataOSBundleComponent is dataos_dagster.DataOSBundleComponent


def test_types_are_published():
    files = importlib.metadata.files("dataos-dagster")
    assert files is not None
    code = "import dataos_dagster, pathlib; print((pathlib.Path(dataos_dagster.__file__).parent / 'py.typed').exists())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "True"


def test_the_command_lists_its_words():
    done = subprocess.run(
        [sys.executable, "-m", "dataos_dagster", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in ("check", "run", "show", "depot", "init", "workspace"):
        assert word in done.stdout
