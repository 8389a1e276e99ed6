"""What a user writes in a Secret or Instance Secret, and how other resources refer to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, SecretStr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from dataos_dagster.manifests.kinds import KindRules
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, scalar_text
from dataos_dagster.manifests.rewriting import move

if TYPE_CHECKING:
    from dataos_dagster.manifests.diagnostics import DocumentPath
    from dataos_dagster.manifests.draft import Draft

Acl = Literal["r", "rw"]
SecretType = Literal["key-value", "key-value-properties", "certificate", "cloud-kernel", "cloud-kernel-image-pull"]
ConsumptionType = Literal["envVars", "propFile", "file"]

SecretText = Annotated[SecretStr, BeforeValidator(scalar_text)]


class SecretReference(ManifestModel):
    """A secret that a resource uses: one item of `secrets` or `dataosSecrets`.

    With none of `key`, `keys` and `allKeys`, all keys are meant; so they are when `keys` names the secret itself,
    which is how a properties bundle is referred to.
    """

    name: Annotated[ScalarText, Field(min_length=1, description="Secret or Instance Secret.")]
    workspace: Annotated[str | None, Field(description="Where the Secret lives; an Instance Secret has none.")] = None
    key: Annotated[str | None, Field(description="One key to hand over.")] = None
    keys: Annotated[TextList, Field(description="Keys to hand over.")] = ()
    all_keys: Annotated[bool, Field(description="Hand over every key.")] = False
    consumption_type: Annotated[
        Annotated[ConsumptionType, AnyCase()],
        Field(description="Environment variables, a properties file, or one file a key."),
    ] = "envVars"
    acl: Annotated[Annotated[Acl, AnyCase()] | None, Field(description="Access level that the secret grants.")] = None

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms: the name alone, and a mapping."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def selected(self) -> tuple[str, ...] | None:
        """Return the keys to hand over, or None for all of them."""
        keys = (*((self.key,) if self.key else ()), *self.keys)
        return None if self.all_keys or not keys or self.name in keys else keys


class SecretSection(ManifestModel):
    """`secret` or `instance-secret`: one credential for one access level."""

    type: Annotated[
        Annotated[SecretType, AnyCase({"certificates": "certificate"})],
        Field(description="How the pairs are handed to those who use the secret."),
    ] = "key-value"
    acl: Annotated[Annotated[Acl, AnyCase()], Field(description="Access level that the credential grants.")] = "r"
    data: Annotated[Mapping[str, SecretText], Field(description="Key to value.")] = Field(default_factory=dict)
    files: Annotated[Mapping[str, str], Field(description="Key to the path of a file whose content is the value.")] = (
        Field(default_factory=dict)
    )


def normalise(draft: Draft, path: DocumentPath) -> None:
    """Rewrite the old forms of a secret: a list with one item, `values`, `file`, and a key file beside `data`."""
    section = draft.get(path)
    if isinstance(section, list) and len(section) == 1:
        draft.warn("old-form", path, "a secret is a mapping, not a list: read as its one item", "remove the `-`")
        draft.put(path, section[0])
        draft.copy_origin((*path, 0), path)
    move(draft, (*path, "values"), (*path, "data"), code="old-form")
    file = draft.get((*path, "file"))
    if isinstance(file, dict):
        move(draft, (*path, "file"), (*path, "files"), code="key-spelling")
    elif file is not None:
        move(draft, (*path, "file"), (*path, "files", "file"), code="old-form")
    for key in ("key_json", "json_keyfile", "gcskey_json"):
        move(draft, (*path, key), (*path, "files", key))


def check(draft: Draft, section: SecretSection, path: DocumentPath) -> None:
    """Report a secret that holds nothing."""
    if not section.data and not section.files:
        draft.warn("empty-secret", path, "the secret holds nothing", "write its pairs below `data`", key=True)


SECRET = KindRules(
    SecretSection, normalise=normalise, check=check, folds_keys=frozenset({"allKeys", "consumptionType"})
)
INSTANCE_SECRET = SECRET
