"""Looking secrets up: in which place, in which order, for whom, and what is said when they are nowhere."""

from __future__ import annotations

import textwrap

import pytest

from dataos_dagster.errors import SecretBackendError, SecretNotFound
from dataos_dagster.manifests.project import load_project
from dataos_dagster.redaction import redact
from dataos_dagster.secrets.manifest import SecretReference
from dataos_dagster.secrets.store import encrypted_backend, secret_store
from dataos_dagster.settings import Settings


def write(folder, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))


def instance_secret(name: str, acl: str, kind: str = "key-value-properties", **data: str) -> str:
    lines = "".join(f"    {key}: '{value}'\n" for key, value in data.items())
    body = f"  data:\n{lines}" if data else ""
    return f"name: {name}\nversion: v1\ntype: instance-secret\ninstance-secret:\n  type: {kind}\n  acl: {acl}\n{body}"


def open_store(settings: Settings, **variables: str):
    project = load_project(settings.project, settings=settings)
    assert [str(found) for found in project.errors] == []
    return secret_store(project, settings, variables)


def plain(values) -> dict[str, str]:
    return {key: value.get_secret_value() for key, value in values.items()}


def test_a_manifest_secret_is_found_with_what_it_grants(settings):
    write(settings.project, "s.yaml", instance_secret("ferrydb-w", "rw", username="svc", password="tulip-1637"))
    secret = open_store(settings).secret("ferrydb-w")
    assert plain(secret.values) == {"username": "svc", "password": "tulip-1637"}
    assert (secret.acl, secret.type, secret.place) == ("rw", "key-value-properties", "s.yaml (instance-secret)")


def test_files_of_a_manifest_are_read_beside_it(settings):
    (settings.project / "deep" / "keys").mkdir(parents=True)
    (settings.project / "deep" / "keys" / "svc.json").write_text('{"key": "tulip-1637"}')
    (settings.project / "deep" / "keys" / "store.jks").write_bytes(b"\xfe\xed\xfe\xed")
    files = "  files:\n    json_keyfile: ./keys/svc.json\n    store: keys/store.jks\n"
    write(settings.project, "deep/s.yaml", instance_secret("lake-r", "r") + files)
    values = plain(open_store(settings).get("lake-r"))
    assert values == {"json_keyfile": '{"key": "tulip-1637"}', "store": "/u3+7Q=="}


def test_a_file_that_is_gone_is_located_in_the_manifest(settings):
    (settings.project / "svc.json").write_text("{}")
    write(settings.project, "s.yaml", instance_secret("lake-r", "r") + "  files:\n    json_keyfile: svc.json\n")
    store = open_store(settings)
    (settings.project / "svc.json").unlink()
    with pytest.raises(SecretBackendError, match=r"s\.yaml:8:\d+: .*'svc.json' of key 'json_keyfile' cannot be read"):
        store.get("lake-r")


def test_a_manifest_without_values_says_what_is_granted_and_another_place_has_the_values(settings):
    write(settings.project, "s.yaml", instance_secret("ferrydb", "rw"))
    secret = open_store(settings, DATAOS_SECRET__FERRYDB__PASSWORD="tulip-1637").secret("ferrydb")
    assert (secret.acl, secret.place, plain(secret.values)) == ("rw", "environment", {"PASSWORD": "tulip-1637"})


def test_a_manifest_without_values_anywhere_says_where_it_was_declared(settings):
    write(settings.project, "s.yaml", instance_secret("ferrydb", "rw"))
    with pytest.raises(SecretNotFound, match=r"'ferrydb' is declared in s.yaml \(instance-secret\) without values"):
        open_store(settings).get("ferrydb")


def test_the_first_place_wins_and_values_are_not_mixed(settings):
    write(settings.project, "s.yaml", instance_secret("ferrydb-r", "r", username="from-manifest"))
    variables = {"DATAOS_SECRET__FERRYDB_R__USERNAME": "from-variable", "DATAOS_SECRET__FERRYDB_R__PASSWORD": "x"}
    assert plain(open_store(settings, **variables).get("ferrydb-r")) == {"username": "from-manifest"}
    turned = Settings(project=settings.project, secrets={"backends": ["environment", "manifests"]})
    assert set(open_store(turned, **variables).get("ferrydb-r")) == {"USERNAME", "PASSWORD"}


def test_a_secret_that_is_nowhere_is_said_with_the_places_in_order(settings):
    configured = Settings(project=settings.project, secrets={"folder": "mounted"})
    with pytest.raises(SecretNotFound) as caught:
        open_store(configured).get("ferrydb-rw")
    root = settings.project
    assert caught.value.message.split("; ") == [
        "secret 'ferrydb-rw' is not known",
        "looked in: manifests of the project (secrets of workspace public, instance secrets)",
        "environment variables DATAOS_SECRET__FERRYDB_RW__<KEY>",
        f"folder {root}/mounted/ferrydb-rw",
        f"encrypted store {root}/.dataos/secrets.enc (not there)",
    ]
    assert caught.value.hint == "set it with: dataos secret set ferrydb-rw KEY …"


def test_a_secret_of_a_workspace_is_for_that_workspace(settings):
    for workspace in ("sales", "ops"):
        write(
            settings.project,
            f"{workspace}.yaml",
            f"name: token\nversion: v1\ntype: secret\nworkspace: {workspace}\n"
            f"secret:\n  type: key-value\n  acl: r\n  data: {{value: of-{workspace}}}\n",
        )
    write(settings.project, "shared.yaml", instance_secret("shared", "r", value="of-everybody"))
    store = open_store(settings)
    assert plain(store.get("token", workspace="sales")) == {"value": "of-sales"}
    assert plain(store.get("token", workspace="ops")) == {"value": "of-ops"}
    assert plain(store.get("shared", workspace="ops")) == {"value": "of-everybody"}
    with pytest.raises(SecretNotFound):
        store.get("token", workspace="hr")
    with pytest.raises(SecretNotFound):
        store.get("token")


def test_keys_of_variables_are_found_by_the_names_that_depots_use(settings):
    store = open_store(
        settings, DATAOS_SECRET__LAKE_R__ACCESS_KEY_ID="tulip-1637", DATAOS_SECRET__LAKE_R__JSON_KEYFILE="{}"
    )
    values = store.get("lake-r")
    assert values["accessKeyId"].get_secret_value() == "tulip-1637"
    assert values["json_keyfile"].get_secret_value() == "{}"
    assert "secret" not in values
    assert repr(values) == "SecretValues(ACCESS_KEY_ID, JSON_KEYFILE)"


def test_variables_that_only_resemble_a_secret_are_left(settings):
    odd = {"DATAOS_SECRET__": "x", "DATAOS_SECRET__A": "x", "DATAOS_SECRET__A__": "x", "DATAOS_SECRETS_KEY": ""}
    assert open_store(settings, **odd).known() == []


def test_a_mounted_folder_is_read_as_kubernetes_makes_it(settings):
    mounted = settings.project / "mounted" / "ferrydb-rw"
    (mounted / "..2026_11_22").mkdir(parents=True)
    (mounted / "..2026_11_22" / "password").write_text("tulip-1637\n")
    (mounted / "..data").symlink_to("..2026_11_22")
    (mounted / "password").symlink_to("..data/password")
    store = open_store(Settings(project=settings.project, secrets={"folder": "mounted"}))
    assert plain(store.get("ferrydb-rw")) == {"password": "tulip-1637"}
    assert [(found.name, found.acl) for found in store.known()] == [("ferrydb-rw", "rw")]


@pytest.mark.parametrize("name", ["..", "../outside", "a/b", "", ".hidden"])
def test_a_name_never_leads_out_of_the_mounted_folder(settings, name):
    (settings.project / "outside").mkdir()
    (settings.project / "outside" / "key").write_text("tulip-1637")
    store = open_store(Settings(project=settings.project, secrets={"folder": "mounted", "backends": ["files"]}))
    with pytest.raises(SecretNotFound):
        store.get(name)


def test_a_mounted_file_that_is_no_text_is_refused(settings):
    mounted = settings.project / "mounted" / "lake-r"
    mounted.mkdir(parents=True)
    (mounted / "key").write_bytes(b"\xff\xfe")
    store = open_store(Settings(project=settings.project, secrets={"folder": "mounted"}))
    with pytest.raises(SecretBackendError, match="cannot be read: it is not UTF-8 text"):
        store.get("lake-r")


@pytest.mark.parametrize("key", ["FERRYDB_R", "ferrydb_r"])
def test_a_properties_text_under_the_secrets_own_name_is_split(settings, key):
    variables = {f"DATAOS_SECRET__FERRYDB_R__{key}": "username=svc\npassword=tulip=1637"}
    values = open_store(settings, **variables).get("ferrydb-r")
    assert (values["username"].get_secret_value(), values["password"].get_secret_value()) == ("svc", "tulip=1637")


def test_a_token_that_only_looks_like_pairs_is_kept(settings):
    values = open_store(settings, DATAOS_SECRET__TOKEN__TOKEN="dHVsaXA=").get("token")
    assert values["token"].get_secret_value() == "dHVsaXA="


def test_the_encrypted_store_is_asked_last(settings, home):
    from pydantic import SecretStr

    encrypted_backend(settings).set("ferrydb-rw", {"password": SecretStr("tulip-1637")})
    store = open_store(settings, XDG_CONFIG_HOME=str(home))
    assert plain(store.get("ferrydb-rw", acl="rw")) == {"password": "tulip-1637"}


def test_get_refuses_a_secret_that_grants_too_little(settings):
    store = open_store(settings, DATAOS_SECRET__FERRYDB__PASSWORD="tulip-1637")
    assert store.get("ferrydb", acl="r")
    with pytest.raises(SecretNotFound, match=r"needs an rw secret for a write; found: ferrydb \(r\)"):
        store.get("ferrydb", acl="rw")


def test_whatever_was_found_is_masked_from_then_on(settings):
    write(settings.project, "s.yaml", instance_secret("a-r", "r", password="rose-of-1455"))
    store = open_store(settings, DATAOS_SECRET__B_R__PASSWORD="violet-of-1804")
    assert redact("rose-of-1455") == "***"
    store.get("b-r")
    assert redact("violet-of-1804") == "***"


VARIABLES = {
    "DATAOS_SECRET__FERRYDB_R__USERNAME": "reader",
    "DATAOS_SECRET__FERRYDB_RW__USERNAME": "writer",
}


class TestCredentials:
    """What a depot gets out of the secrets that it refers to."""

    def credentials(self, settings, acl, *references, variables=VARIABLES):
        items = [SecretReference.model_validate(reference) for reference in references]
        return plain(open_store(settings, **variables).credentials(items, acl, owner="depot 'ferrydb'"))

    def test_reads_and_writes_take_their_own(self, settings):
        references = ("ferrydb-r", {"name": "ferrydb-rw", "allKeys": True})
        assert self.credentials(settings, "r", *references) == {"USERNAME": "reader"}
        assert self.credentials(settings, "rw", *references) == {"USERNAME": "writer"}

    def test_a_reference_may_name_the_keys(self, settings):
        reference = {"name": "ferrydb-r", "keys": ["username"]}
        assert self.credentials(settings, "r", reference) == {"username": "reader"}

    def test_a_key_that_is_not_there_is_named_with_those_that_are(self, settings):
        reference = {"name": "ferrydb-r", "keys": ["passwort"]}
        with pytest.raises(
            SecretNotFound, match=r"'ferrydb-r' in environment has no key 'passwort'(.|\n)*it has: USER"
        ):
            self.credentials(settings, "r", reference)

    def test_keys_that_name_the_secret_mean_all_of_it(self, settings):
        reference = {"name": "ferrydb-r", "keys": ["ferrydb-r"]}
        assert self.credentials(settings, "r", reference) == {"USERNAME": "reader"}

    def test_a_reference_that_states_a_level_is_believed(self, settings):
        reference = {"name": "ferrydb-r", "acl": "rw"}
        assert self.credentials(settings, "rw", reference) == {"USERNAME": "reader"}

    def test_reading_does_not_wait_for_the_secret_of_writers(self, settings):
        variables = {"DATAOS_SECRET__FERRYDB_R__USERNAME": "reader"}
        references = ("ferrydb-rw", "ferrydb-r")
        assert self.credentials(settings, "r", *references, variables=variables) == {"USERNAME": "reader"}
        with pytest.raises(SecretNotFound, match="depot 'ferrydb': secret 'ferrydb-rw' is not known; looked in"):
            self.credentials(settings, "rw", *references, variables=variables)

    def test_writing_with_a_readers_secret_only_is_refused(self, settings):
        with pytest.raises(SecretNotFound, match=r"depot 'ferrydb' needs an rw secret .* found: ferrydb-r \(r\)"):
            self.credentials(settings, "rw", "ferrydb-r")
