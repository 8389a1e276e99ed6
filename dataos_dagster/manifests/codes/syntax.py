"""Characters, quotes and brackets because of which a text is not YAML."""

from __future__ import annotations

from dataos_dagster.manifests.codes.entry import CodeEntry

ENTRIES = (
    CodeEntry(
        "yaml-syntax",
        "The text is not YAML",
        "The parser could not go on at this place, for a reason that none of the more exact diagnostics knows. The "
        "mistake is here or a few lines above.",
        wrong='title: "C:\\queries"',
        right="title: 'C:\\queries'",
    ),
    CodeEntry(
        "tab",
        "A tab stands where YAML wants spaces",
        "YAML allows spaces only for indentation. `--fix` replaces each tab by as many spaces as make the file YAML.",
        wrong="workflow:\n\tdag: []",
        right="workflow:\n  dag: []",
    ),
    CodeEntry(
        "odd-space",
        "An invisible character that is no space",
        "Non-breaking and zero-width spaces look like spaces and are none. They come with text pasted from web pages.",
        wrong="workflow:\n\u00a0\u00a0dag: []",
        right="workflow:\n  dag: []",
    ),
    CodeEntry(
        "odd-colon",
        "Something else stands where ':' is expected",
        "A key ends with ':' and a space. '=', ';' and the wide colon of East Asian keyboards do not end it.",
        wrong="name = orders\nversion: v1",
        right="name: orders\nversion: v1",
    ),
    CodeEntry(
        "odd-dash",
        "Something else stands where '-' is expected",
        "Items of a list begin with '-' and a space. Bullets, long dashes, '*' and '+' do not begin one.",
        wrong="tags:\n  \u2013 sales\n  \u2013 daily",
        right="tags:\n  - sales\n  - daily",
    ),
    CodeEntry(
        "markdown-fence",
        "The fence of a Markdown code block",
        "The line was copied together with the manifest. Delete it.",
        wrong="```yaml\nname: orders\n```",
        right="name: orders",
    ),
    CodeEntry(
        "bold-marks",
        "Marks of formatted text",
        "`**` around a word is bold in Markdown; in YAML `*` begins an alias. Delete the marks.",
        wrong="**name**: orders",
        right="name: orders",
    ),
    CodeEntry(
        "missing-space-after-dash",
        "No space behind '-'",
        "`-item` is a text that begins with a dash. An item of a list needs a space: `- item`.",
        wrong="tags:\n  - sales\n  -daily",
        right="tags:\n  - sales\n  - daily",
    ),
    CodeEntry(
        "missing-space-after-colon",
        "No space behind ':'",
        "`key:value` is a text that contains a colon. A key needs a space behind its colon.",
        wrong="name:orders\nversion: v1",
        right="name: orders\nversion: v1",
    ),
    CodeEntry(
        "missing-colon",
        "No ':' behind a key",
        "A line of a mapping is a key, a colon, and a value or further lines.",
        wrong="name orders\nversion: v1",
        right="name: orders\nversion: v1",
    ),
    CodeEntry(
        "reserved-character",
        "A value begins with a character that YAML reserves",
        "`*`, `&`, `!`, `@`, the backtick, `%`, `|`, `>`, `?` and `-` mean something at the beginning of a value. Put "
        "the value in quotes.",
        wrong="includes:\n  - *",
        right='includes:\n  - "*"',
    ),
    CodeEntry(
        "unclosed-braces",
        "Braces are not closed on their line",
        "`{{` begins a template or placeholder that must end with `}}` on the same line, and the whole value must "
        "stand in quotes.",
        wrong="description: {{policy of the staff\nname: staff}}",
        right="description: policy of the staff\nname: staff",
    ),
    CodeEntry(
        "placeholder-without-key",
        "A placeholder stands where keys are expected",
        "The placeholder stands for whole lines of a mapping. Write these lines: `key: value`.",
        wrong='params:\n  ${{"key1": "value1"}}\n  ${{"key2": "value2"}}',
        right="params:\n  key1: value1\n  key2: value2",
    ),
    CodeEntry(
        "text-behind-quotes",
        "Something stands behind a closing quote",
        "A value in quotes ends at the closing quote; only a comment, which begins with a space and '#', may follow.",
        wrong='memory: "38GB" /23',
        right='memory: "38GB"',
    ),
    CodeEntry(
        "quote-in-quotes",
        "A quote inside quotes",
        'The text ends at the first quote of its own kind. Double it in single quotes, write \\" in double quotes, or '
        "use the other kind around the text.",
        wrong="title: 'it's late'",
        right="title: 'it''s late'",
    ),
    CodeEntry(
        "unclosed-quote",
        "A quote is not closed",
        "The text goes on until the next quote, which belongs to another value, or to the end of the file. A text of "
        "several lines is written behind '|'.",
        wrong='title: "late orders\nversion: v1',
        right='title: "late orders"\nversion: v1',
    ),
    CodeEntry(
        "colon-in-value",
        "A colon and a space inside a value",
        "': ' ends a key, so a value that contains it must stand in quotes.",
        wrong="description: Note: runs at night",
        right='description: "Note: runs at night"',
    ),
    CodeEntry(
        "two-keys-on-a-line",
        "Two keys on one line",
        "A line break was lost between two keys. Begin a new line in front of the second one.",
        wrong="name: orders version: v1",
        right="name: orders\nversion: v1",
    ),
    CodeEntry(
        "missing-comma",
        "No comma between two values in brackets",
        "Values inside `[ ]` and `{ }` are separated by commas; one that contains a comma, a bracket or ': ' must "
        "stand in quotes.",
        wrong='tags: ["sales" "daily"]',
        right='tags: ["sales", "daily"]',
    ),
    CodeEntry(
        "unclosed-bracket",
        "A bracket is not closed",
        "`[` ends with `]`, `{` with `}`. A value that begins with a bracket and is a text must stand in quotes.",
        wrong="tags: [sales, daily\nversion: v1",
        right="tags: [sales, daily]\nversion: v1",
    ),
    CodeEntry(
        "stray-bracket",
        "A bracket closes nothing",
        "Delete it, or put the value in quotes when the bracket is part of it.",
        wrong="tags: [sales]]",
        right="tags: [sales]",
    ),
)
