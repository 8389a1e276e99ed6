"""The flights product under `dagster dev`, beside a manifest that is broken, and a headless browser that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 120

# A depot that nobody declares, and a cron expression of four fields.
BROKEN = """\
name: night-report
version: v1
type: workflow
workflow:
  schedule: {cron: '30 2 * *'}
  dag:
    - name: report
      spec:
        stack: flare:7.0
        compute: runnable-default
        stackSpec:
          job:
            inputs: [{name: sales, dataset: "dataos://shop:public/sales"}]
            outputs: [{name: sales, dataset: "dataos://lakehouse:shop/sales?acl=rw"}]
"""

# The same without the cron: the file is read, and its job cannot run.
LOST = BROKEN.replace("  schedule: {cron: '30 2 * *'}\n", "").replace("night-report", "lost-report")

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Deployment:
    """A project that `dagster dev` serves."""

    url: str
    folder: Path
    log: Path

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of one query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
        return data

    def loaded(self) -> bool:
        """Return whether every code location has loaded."""
        query = (
            "{workspaceOrError {... on Workspace {locationEntries {loadStatus locationOrLoadError {__typename "
            "... on PythonError {message}}}}}}"
        )
        try:
            entries = self.graphql(query)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        errors = [entry["locationOrLoadError"].get("message") for entry in entries if entry["locationOrLoadError"]]
        assert not any(errors), errors
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def product_folder(tmp_path_factory) -> Path:
    """Return a copy of the product, with what serves it."""
    folder = tmp_path_factory.mktemp("deployment")
    for name in ("definitions", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".dataos"))
    for name in ("workspace.yaml", "dagster.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def port() -> int:
    """Return a port that nobody listens on."""
    return free_port()


@pytest.fixture(scope="module")
def deployment(product_folder) -> Iterator[Deployment]:
    """Serve the product, and one broken manifest, as `make ui` does."""
    folder = product_folder
    workflows = folder / "definitions" / "flights" / "workflows"
    (workflows / "night-report.yaml").write_text(BROKEN)
    (workflows / "lost-report.yaml").write_text(LOST)
    port = free_port()
    log = folder / "dagster.log"
    command = [sys.executable, folder / "scripts" / "ui.py", "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            served = Deployment(f"http://127.0.0.1:{port}", folder, log)
            deadline = time.monotonic() + SECONDS_TO_START
            while not served.loaded():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.5)
            yield served
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(40) == 0, log.read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium without a window.

    Playwright keeps an event loop running in the thread of the tests, in which Dagster cannot run a job: it ends with
    the module.
    """
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        message = "no chromium on the PATH (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, deployment) -> Iterator[Page]:
    """Return an empty page of the deployment."""
    page = browser.new_page(base_url=deployment.url, viewport={"width": 1500, "height": 950})
    page.set_default_timeout(30_000)
    yield page
    page.close()


@pytest.fixture
def picture(page) -> Callable[[str], None]:
    """Return what keeps the page as a picture when DATAOS_PICTURES names a folder: `make pictures` does."""

    def take(name: str) -> None:
        if folder := os.environ.get("DATAOS_PICTURES"):
            page.wait_for_load_state("networkidle")
            page.screenshot(path=Path(folder) / f"{name}.png")

    return take
