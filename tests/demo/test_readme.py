"""What README promises: its commands exist, its first manifest runs, its settings are settings."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dataos_dagster import load_settings

ROOT = Path(__file__).parents[2]
DATAOS = Path(sys.executable).with_name("dataos")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(title: str) -> str:
    """Return the YAML block whose first line names its file."""
    [found] = [text for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if text.startswith(f"# {title}\n")]
    return found


def dataos(*arguments: str, cwd: Path) -> str:
    done = subprocess.run([DATAOS, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """Return the project that the README makes."""
    folder = tmp_path_factory.mktemp("readme")
    dataos("init", "shop", cwd=folder)
    (folder / "shop" / "workflows" / "revenue.yaml").write_text(block("workflows/revenue.yaml"))
    return folder / "shop"


def test_the_first_manifest_has_no_mistake(shop):
    report = json.loads(dataos("check", "--strict", "--json", cwd=shop))
    assert report["diagnostics"] == []


def test_the_first_manifest_runs_on_the_embedded_engine(shop):
    report = json.loads(dataos("run", "--json", cwd=shop))
    jobs = {job["job"].rpartition("/")[2]: job for job in report["jobs"]}
    assert {job["engine"] for job in jobs.values()} == {"sail"}
    assert jobs["revenue-by-customer"]["outputs"][0]["rows"] == 3
    shown = dataos("show", "dataos://lakehouse:shop/revenue", cwd=shop)
    assert "grace" in shown


def test_the_settings_of_a_cluster_are_settings(tmp_path):
    (tmp_path / "dataos.yaml").write_text(block("dataos.yaml"))
    settings = load_settings(tmp_path)
    assert settings.engines.default == "connect"
    assert settings.catalogs["lakehouse"].warehouse == "s3://lake/warehouse"


@pytest.mark.parametrize("text", ["README.md", "CONTRIBUTING.md", "docs/index.md"])
def test_every_link_inside_the_repository_leads_somewhere(text):
    file = ROOT / text
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\$ make (\w+)", README))))
def test_every_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
