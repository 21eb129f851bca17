"""Text of models and users on a terminal: shown as it is, and never obeyed."""


def one_line(text: str, characters: int = 400) -> str:
    """Its beginning, on one line."""
    return visible(" ".join(text[:characters].split()))


def visible(text: str) -> str:
    """The text with every character that a terminal would obey or hide written out, as ``\\x1b``.

    That is all but printable characters, line ends and tabs: escape sequences, direction
    overrides, zero-width characters.
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
