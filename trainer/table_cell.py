"""A cell of a card's table: names in it come from events, and may not end the cell or the table."""


def cell(text: str) -> str:
    """The text on one line, its bars escaped."""
    return " ".join(text.replace("|", "\\|").split())
