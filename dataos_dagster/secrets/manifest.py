"""What a user writes in a Secret or Instance Secret, and how other resources refer to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from dataos_dagster.manifests.kinds import KindRules
from dataos_dagster.manifests.model import AnyCase, ManifestModel, ScalarText, TextList, scalar_text

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
    data: Annotated[Mapping[str, SecretText], Field(description="Key to value.")] = {}
    files: Annotated[Mapping[str, str], Field(description="Key to the path of a file whose content is the value.")] = {}


SECRET = KindRules(SecretSection, folds_keys=frozenset({"allKeys", "consumptionType"}))
INSTANCE_SECRET = SECRET
