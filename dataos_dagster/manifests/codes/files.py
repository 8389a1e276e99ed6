"""What can be wrong with a file before it is read as YAML."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "file-missing",
        "There is no such file",
        "A file that was named, or that a manifest refers to, does not exist. Paths inside a manifest are relative to "
        "the folder of that manifest.",
        wrong="workflow:\n  dag:\n    - name: nested\n      file: nested.yml      # … and the folder has nested.yaml",
        right="workflow:\n  dag:\n    - name: nested\n      file: nested.yaml",
    ),
    CodeEntry(
        "file-unreadable",
        "The file cannot be read",
        "The operating system refuses to open or read the file: it is a folder, the permissions do not allow it, or "
        "the disk fails. The message is the system's own.",
        wrong="$ ls -l orders.yaml\n--w------- mira orders.yaml      # … nobody may read it",
        right="$ chmod u+r orders.yaml",
    ),
    CodeEntry(
        "folder-unreadable",
        "A folder cannot be searched",
        "This user may not list the folder, so that manifests in it are not read. Where it holds none, such as "
        "the data of a server, name the folders of manifests in `dataos.yaml`.",
        wrong="manifests: [.]      # in dataos.yaml, beside a folder of PostgreSQL's …",
        right="manifests: [workflows, depots]",
    ),
    CodeEntry(
        "file-too-large",
        "The file is larger than a manifest",
        "Files above `limits.file_bytes` (5 MB unless `dataos.yaml` says otherwise) are not read, because YAML takes "
        "many times the file's size in memory. Keep data in a file of its own and refer to it.",
        wrong="data: |\n  … 6 MB of rows …",
        right="dataset: dataos://lakehouse:retail/orders   # the rows stand in a dataset …",
    ),
    CodeEntry(
        "binary-file",
        "The file is not text",
        "The file holds bytes that no text has. It is probably an archive, an image or a Parquet file with the ending "
        "of a manifest.",
        wrong="PK\\x03\\x04…      # an archive that was named orders.yaml",
        right="name: orders\nversion: v1\n…",
    ),
    CodeEntry(
        "not-utf8",
        "The file is not UTF-8",
        "Manifests are UTF-8 text. Editors have a command to save a file with another encoding.",
        wrong="owner: J\\xf6rg      # … saved as Latin-1",
        right="owner: Jörg        # saved as UTF-8 …",
    ),
    CodeEntry(
        "control-character",
        "An invisible character that YAML does not allow",
        "Control characters are not allowed in YAML outside of escapes in double quotes. They come with text pasted "
        "from a terminal or a document. Delete the character, or write the line again.",
        wrong="name: orders\\x00…",
        right="name: orders",
    ),
    CodeEntry(
        "empty-file",
        "The file holds no manifest",
        "The file is empty or has comments only. It is left alone.",
        wrong="# … orders, to be written",
        right="name: orders\nversion: v1\ntype: workflow\n…",
    ),
    CodeEntry(
        "not-a-mapping",
        "The document is no mapping",
        "A manifest is a mapping with `name`, `version`, `type` and a section named after the type; a file may also be "
        "a list of such mappings. Most often a space is missing behind a ':', which makes the whole a text.",
        wrong="name:orders",
        right="name: orders\nversion: v1\ntype: workflow\nworkflow:\n  dag: []",
    ),
    CodeEntry(
        "too-deep",
        "Values nest too deep",
        "Documents nested deeper than `limits.depth` (100 unless `dataos.yaml` says otherwise; 300 at most) are not "
        "read. No manifest needs that; usually brackets are not closed.",
        wrong="a: [[[[[[[[[[…",
        right="a: [1, 2]",
    ),
    CodeEntry(
        "alias-bomb",
        "Aliases expand to too many values",
        "Aliases of aliases multiply: a few lines can stand for billions of values. A document whose aliases stand for "
        "more than 100,000 values is not read.",
        wrong="a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n…",
        right="a: [x, x]",
    ),
    CodeEntry(
        "recursive-alias",
        "An alias stands inside its own anchor",
        "The value would contain itself and have no end.",
        wrong="a: &a\n  b: *a",
        right="a:\n  b: {}",
    ),
)
