"""No committed file says where packages come from: that is the configuration of the machine that installs them."""

import os
import re
from urllib.parse import urlsplit

import pytest

# In pieces, or this file would be the one that names them.
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("repository", "apache", "org"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("static", "crates", "io"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]

# Variables by which this machine's mirrors are set; only the host is looked at.
MIRROR_VARIABLES = (
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "PIP_INDEX_URL",
    "PIP_FIND_LINKS",
    "GOPROXY",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
)


def hosts_of_this_machine() -> list[str]:
    values = re.split(r"[,|\s]+", " ".join(os.environ.get(name, "") for name in MIRROR_VARIABLES))
    hosts = {urlsplit(value).hostname for value in values if "://" in value}
    return sorted(host for host in hosts if host and host not in {"localhost", "127.0.0.1"})


def test_no_committed_file_names_a_registry(committed_files):
    pattern = re.compile("|".join(re.escape(host) for host in REGISTRIES + hosts_of_this_machine()).encode())
    offenders = [str(file) for file in committed_files if pattern.search(file.read_bytes())]
    assert offenders == []


@pytest.mark.parametrize("word", ["--index-url", "--extra-index-url", "--find-links", " @ http"])
def test_the_lock_has_hashes_and_no_addresses(committed_files, word):
    [lock] = [file for file in committed_files if file.name == "requirements.lock"]
    text = lock.read_text(encoding="utf-8")
    requirements = re.findall(r"^[a-z0-9][^\s=]*==\S+.*$", text, re.MULTILINE)
    assert len(requirements) == len(re.findall(r"^[a-z0-9].*\\$", text, re.MULTILINE)), "each is followed by hashes"
    assert word not in text
