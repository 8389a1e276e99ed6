"""What resources of a project say about each other: names that lead nowhere, names given twice, circles."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataos_dagster.address import DEPOT_ALIASES
from dataos_dagster.manifests.cycles import find_cycle
from dataos_dagster.manifests.diagnostics import Diagnostic, DocumentPath, Severity
from dataos_dagster.manifests.draft import find_file
from dataos_dagster.manifests.kinds import KINDS
from dataos_dagster.manifests.spelling import nearest, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dataos_dagster.manifests.kinds import FileReference, Reference
    from dataos_dagster.manifests.loading import Loaded
    from dataos_dagster.manifests.resource import Resource
    from dataos_dagster.settings import Settings

# There without a manifest: the lakehouse that every project has, and the computes of every installation.
DEFAULT_DEPOTS = ("lakehouse",)
DEFAULT_COMPUTES = ("runnable-default", "query-default")
ENCRYPTED_SECRETS = "secrets.enc"

# A resource's kind, name and workspace.
Identity = tuple[str, str, str | None]


@dataclass(slots=True)
class References:
    """One check of a whole project.

    Attributes:
        loaded: Everything that was read, in manifest order.
        broken: Resources with errors: what they name is checked, and who names one of them is told so.
        kept: The same without resources whose name was taken before; filled by `diagnostics`.
    """

    loaded: Sequence[Loaded]
    settings: Settings
    environment: Mapping[str, str]
    broken: Sequence[Loaded] = ()
    allow_placeholders: bool = False
    kept: list[Loaded] = field(default_factory=list)
    _found: list[Diagnostic] = field(default_factory=list)
    _names: dict[str, dict[str, None]] = field(default_factory=dict)
    _secrets: dict[str, list[Resource[Any]]] = field(default_factory=dict)
    _depots: dict[str, Loaded] = field(default_factory=dict)
    _by_file: dict[Path, list[Loaded]] = field(default_factory=dict)

    def diagnostics(self) -> list[Diagnostic]:
        """Return what is wrong between resources."""
        self._keep_first_of_each_name()
        self._collect_names()
        for loaded in (*self.kept, *self.broken):
            for reference in loaded.references:
                self._check(loaded.resource, reference)
        nesting = {index: list(self._nested(loaded)) for index, loaded in enumerate(self.kept) if loaded.files}
        for loaded in self.broken:
            list(self._nested(loaded))  # for the paths that lead nowhere: what is broken takes nothing in
        self._check_circles(nesting)
        return self._found

    def _keep_first_of_each_name(self) -> None:
        first: dict[Identity, Resource[Any]] = {}
        for loaded in self.loaded:
            resource = loaded.resource
            identity = (resource.kind, resource.name, self._workspace(resource))
            other = first.setdefault(identity, resource)
            if other is resource:
                self.kept.append(loaded)
                self._by_file.setdefault(resource.document.file, []).append(loaded)
                continue
            # Templates share their names until somebody fills them in.
            message = f"there is a {resource.kind} `{resource.name}` already, at {other.location(('name',))}"
            self._report(
                resource, ("name",), self._unresolved, "duplicate-resource", message, "rename one, or remove it"
            )

    def _workspace(self, resource: Resource[Any]) -> str | None:
        if KINDS[resource.kind].scope == "instance":
            return None
        return resource.workspace or self.settings.default_workspace

    def _collect_names(self) -> None:
        depots = [*DEFAULT_DEPOTS, *self.settings.catalogs]
        computes = [*DEFAULT_COMPUTES, *self.settings.computes]
        volumes: list[str] = []
        for loaded in self.kept:
            resource = loaded.resource
            if resource.kind in {"secret", "instance-secret"}:
                self._secrets.setdefault(resource.name, []).append(resource)
            elif resource.kind == "depot":
                depots.append(resource.name)
                self._depots[_depot_name(resource.name)] = loaded
            elif resource.kind == "lakehouse":
                depots.append(resource.section.depot_name(resource.name, self._workspace(resource)))
            elif resource.kind == "database":
                depots.append(f"{resource.name}database")
            elif resource.kind == "compute":
                computes.append(resource.name)
            elif resource.kind == "volume":
                volumes.append(resource.name)
        self._names = {
            "depot": dict.fromkeys(_depot_name(name) for name in depots),
            "compute": dict.fromkeys(computes),
            "volume": dict.fromkeys(volumes),
        }

    def _check(self, resource: Resource[Any], reference: Reference) -> None:
        if reference.kind == "secret":
            self._check_secret(resource, reference)
            return
        known = self._names[reference.kind]
        name = _depot_name(reference.name) if reference.kind == "depot" else reference.name
        if name in known:
            if reference.acl == "rw":
                self._check_access(resource, reference, self._depots.get(name))
            return
        # What a compute or volume stands for is a matter of the installation: nothing here fails without it.
        severity = self._unresolved if reference.kind == "depot" else Severity.WARNING
        message = f"there is no {reference.kind} `{reference.name}`"
        hint = suggestion(reference.name, list(known), what=f"{reference.kind}s")
        broken = self._broken(reference.kind, name)
        if broken is not None:
            message = f"the {reference.kind} `{reference.name}` has errors"
            hint = f"mend it first: {broken.location()}"
        code = f"unknown-{reference.kind}"
        self._report(resource, (resource.kind, *reference.path), severity, code, message, hint, reference.within)

    def _broken(self, kind: str, name: str) -> Resource[Any] | None:
        """Return the resource with errors that a reference means, if it means one."""
        for loaded in self.broken:
            resource = loaded.resource
            if resource.kind == kind and name in {resource.name, _depot_name(resource.name)}:
                return resource
        return None

    def _check_access(self, resource: Resource[Any], reference: Reference, depot: Loaded | None) -> None:
        """Report a write to a depot all of whose secrets are known and grant reading only."""
        named = [found.name for found in depot.references if found.kind == "secret"] if depot else []
        secrets = [secret for name in named for secret in self._secrets.get(name, ())]
        if not named or {secret.name for secret in secrets} != set(named):
            return  # inline credentials, or secrets that are kept elsewhere
        if all(secret.section.acl != "rw" for secret in secrets):
            granted = ", ".join(f"{secret.name} ({secret.section.acl})" for secret in secrets)
            message = f"the depot `{reference.name}` needs an rw secret for a write; found: {granted}"
            hint = f"declare an Instance Secret with `acl: rw`, and name it in the depot `{reference.name}`"
            self._report(resource, (resource.kind, *reference.path), Severity.WARNING, "missing-access", message, hint)

    @property
    def _unresolved(self) -> Severity:
        return Severity.WARNING if self.allow_placeholders else Severity.ERROR

    def _check_secret(self, resource: Resource[Any], reference: Reference) -> None:
        found = self._secrets.get(reference.name, [])
        if any(self._reaches(secret, reference) for secret in found) or self._is_kept_elsewhere(reference.name):
            return
        severity = self._unresolved
        message = f"there is no secret `{reference.name}`; looked in: {'; '.join(self._places(reference.name))}"
        near = nearest(reference.name, self._secrets)
        hint = f"did you mean `{near}`?" if near else f"set it with: dataos secret set {reference.name} KEY …"
        broken = self._broken("secret", reference.name) or self._broken("instance-secret", reference.name)
        if broken is not None:
            message, hint = f"the secret `{reference.name}` has errors", f"mend it first: {broken.location()}"
        elif found:
            elsewhere = ", ".join(sorted(self._workspace(secret) or "" for secret in found))
            hint = f"it is in the workspace {elsewhere}: write `workspace: {elsewhere}`"
        elif self._encrypted_store().is_file():
            # The store cannot be listed without its key, which checking manifests does without.
            severity = Severity.INFO
            message = f"no manifest declares the secret `{reference.name}`; the encrypted store may hold it"
            hint = "`dataos secret list` shows what is in the store"
        self._report(resource, (resource.kind, *reference.path), severity, "unknown-secret", message, hint)

    def _reaches(self, secret: Resource[Any], reference: Reference) -> bool:
        if secret.kind == "instance-secret" or reference.workspace is None:
            return True
        return self._workspace(secret) == reference.workspace

    def _is_kept_elsewhere(self, name: str) -> bool:
        """Return whether the environment or the folder of secrets holds a secret."""
        prefix = _variables(name)
        folder = self.settings.secrets.folder
        return any(key.startswith(prefix) for key in self.environment) or (
            folder is not None and (self.settings.project / folder / name).is_dir()
        )

    def _places(self, name: str) -> Iterator[str]:
        """Yield where a secret was looked for in vain, in the order of the settings."""
        folder = self.settings.secrets.folder
        for backend in self.settings.secrets.backends:
            if backend == "manifests":
                yield "manifests of the project"
            elif backend == "environment":
                yield f"environment variables {_variables(name)}<KEY>"
            elif backend == "files" and folder is not None:
                yield f"folder {self.settings.project / folder / name}"
            elif backend == "encrypted":
                yield f"encrypted store {self._encrypted_store()} (not there)"

    def _encrypted_store(self) -> Path:
        return self.settings.secrets.encrypted_file or self.settings.state_folder / ENCRYPTED_SECRETS

    def _nested(self, loaded: Loaded) -> Iterator[tuple[FileReference, int]]:
        """Yield the resources that a resource takes in by path, as indices, and report paths that lead nowhere."""
        indices = {id(other): index for index, other in enumerate(self.kept)} if loaded.files else {}
        resource = loaded.resource
        for reference in loaded.files:
            place = (resource.kind, *reference.path)
            file = find_file(reference.file, resource.document.file)
            if file is None:
                hint = "a relative path counts from the manifest's folder, then from the working directory"
                message = f"there is no file {reference.file!r}"
                self._report(resource, place, self._unresolved, reference.code, message, hint)
                continue
            members = self._by_file.get(absolute(file), [])
            for member in members:
                if reference.kind in {None, member.resource.kind} and reference.nests:
                    yield reference, indices[id(member)]
            if members and reference.kind and all(member.resource.kind != reference.kind for member in members):
                message = f"{reference.file!r} holds no {reference.kind}"
                hint = f"it holds: {', '.join(sorted({member.resource.kind for member in members}))}"
                self._report(resource, place, self._unresolved, reference.code, message, hint)

    def _check_circles(self, nesting: Mapping[int, Sequence[tuple[FileReference, int]]]) -> None:
        edges = {str(index): [str(target) for _, target in targets] for index, targets in nesting.items()}
        cycle = find_cycle(edges)
        if cycle is None:
            return
        names = [self.kept[int(index)].resource for index in cycle]
        first, following = names[0], int(cycle[1])
        reference = next(found for found, target in nesting[int(cycle[0])] if target == following)
        message = f"these manifests take each other in: {' → '.join(name.name for name in names)}"
        place, hint = (first.kind, *reference.path), "remove one of these `file:` entries"
        self._report(first, place, Severity.ERROR, "include-cycle", message, hint)

    def _report(
        self,
        resource: Resource[Any],
        path: DocumentPath,
        severity: Severity,
        code: str,
        message: str,
        hint: str,
        within: tuple[str, int, int] | None = None,
    ) -> None:
        document, place = resource.document, resource.origin(path)
        where = document.range_in(place, *within) if within else document.range_of(place)
        self._found.append(document.diagnostic_at(where, code, severity, place, message, hint))


def absolute(file: Path) -> Path:
    """Return the path by which files of a project are known: absolute and without `..`."""
    import os

    return Path(os.path.abspath(file))  # noqa: PTH100 - `resolve` would follow links, and files are known by their own path


def _variables(secret: str) -> str:
    """Return what the names of the environment variables begin with that hold the keys of a secret."""
    return f"DATAOS_SECRET__{secret.upper().replace('-', '_')}__"


def _depot_name(name: str) -> str:
    return DEPOT_ALIASES.get(name.lower(), name.lower())


def named_files(loaded: Iterable[Loaded]) -> Iterator[Path]:
    """Yield the files that resources name by path and that exist."""
    for item in loaded:
        for reference in item.files:
            file = find_file(reference.file, item.resource.document.file)
            if file is not None:
                yield absolute(file)
