"""An answer of ClickHouse as a table for people."""

from collections.abc import Sequence

from rich.table import Table


def answer_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Nothing is cut off where the terminal is narrow: names break between their words, cells
    anywhere. NULL is a dash."""
    table = Table(title=title, title_justify="left", caption=None if rows else "no rows")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("–" if cell is None else str(cell) for cell in row))
    return table
