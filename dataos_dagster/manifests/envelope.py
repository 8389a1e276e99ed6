"""The keys that every manifest has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dataos_dagster.manifests.model import ManifestModel, ScalarText, TextList, TextMap


class Envelope(ManifestModel):
    """What stands beside a manifest's section."""

    name: Annotated[ScalarText, Field(min_length=1, description="Name, unique for its type and workspace.")]
    version: Annotated[ScalarText, Field(description="Version of the manifest's schema, not of its content.")]
    type: Annotated[ScalarText, Field(description="Kind of resource; also the name of its section.")]
    tags: Annotated[TextList, Field(description="Labels for discovery and policies.")] = ()
    description: ScalarText | None = None
    owner: Annotated[ScalarText | None, Field(description="User id; default the user who applies it.")] = None
    layer: Annotated[ScalarText, Field(description="Logical layer: user or system.")] = "user"
    workspace: Annotated[ScalarText | None, Field(description="Workspace of workspace-level kinds.")] = None
    title: ScalarText | None = None
    labels: TextMap = Field(default_factory=dict)
    run_as_user: Annotated[ScalarText | None, Field(description="User id on whose behalf it acts.")] = None
