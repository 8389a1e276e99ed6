"""What a store that refuses to delete does to a write into a bucket, by a folder in the place of the bucket."""

from __future__ import annotations

from typing import Any

import pytest
from depot_shop import target
from pyarrow import fs

from dataos_dagster.depots.claims import Claim
from dataos_dagster.depots.files.bucket import claimed
from dataos_dagster.depots.files.listing import NOTE_PREFIX, NOTE_SUFFIX, counting_files, read_notes
from dataos_dagster.depots.locks import Holder
from dataos_dagster.depots.requests import WriteRequest
from dataos_dagster.depots.storage import Place
from dataos_dagster.errors import DepotUnreachable
from dataos_dagster.settings import Settings


class Refusing:
    """A file system that deletes no object whose name ends in a certain way."""

    def __init__(self, ending: str) -> None:
        self.ending = ending
        self.folder = fs.LocalFileSystem()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.folder, name)

    def delete_file(self, path: str) -> None:
        if path.endswith(self.ending):
            raise OSError("AWS Error NETWORK_CONNECTION during DeleteObject operation: Timeout was reached")
        self.folder.delete_file(path)


class Renewed(Refusing):
    """A file system whose note goes while it is read, and is there again: its next writer's note has the same name."""

    def __init__(self, times: int) -> None:
        super().__init__("nothing")
        self.times = times

    def open_input_stream(self, path: str, **options: Any) -> Any:
        self.times -= 1
        if self.times >= 0:
            raise FileNotFoundError(path)
        return self.folder.open_input_stream(path, **options)


class Access:
    """The way to such a file system."""

    def __init__(self, filesystem: Refusing) -> None:
        self._filesystem = filesystem

    def filesystem(self) -> Refusing:
        return self._filesystem

    def url(self, path: str, *, sail: bool) -> str:
        return path


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(f".1{NOTE_SUFFIX}", id="an older note"),
        pytest.param("old.csv", id="a file that was replaced"),
    ],
)
def test_a_write_that_counts_is_no_failure_when_something_cannot_be_deleted_and_says_so(tmp_path, ending):
    dataset = tmp_path / "bucket" / "orders"
    dataset.mkdir(parents=True)
    (dataset / "old.csv").write_text("id\n1\n")
    place = Place(str(dataset), Access(Refusing(ending)))
    claim = Claim("0123456789abcdef", "shop", Holder.this_process("ann", None, "write"))
    with claimed(
        place, claim, Settings(project=tmp_path), WriteRequest(target("dataos://raw:orders"), "overwrite")
    ) as write:
        staging = tmp_path / "bucket" / write.staging.name
        staging.mkdir()
        (staging / "part-0.csv").write_text("id\n2\n")
        [written] = write.add(place.data_files())
    assert [info.path for info in counting_files(place).files] == [written.path]
    assert "Timeout was reached" in write.left.message


def test_a_note_that_was_gone_for_a_moment_is_read_and_one_that_stays_unreadable_is_told(tmp_path):
    note = f"{NOTE_PREFIX}local{NOTE_SUFFIX}"
    (tmp_path / note).write_text('{"hidden": []}')
    assert read_notes(Place(str(tmp_path), Access(Renewed(3)))) == {note: '{"hidden": []}'}
    with pytest.raises(DepotUnreachable, match="changes all the time"):
        read_notes(Place(str(tmp_path), Access(Renewed(1000))))
