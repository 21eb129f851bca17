"""The columns a question can filter on, and their values: the same in every warehouse instance."""

from typing import Final

# Every value is one word and belongs to one column, so that prose such as "region is EMEA" has
# one reading.
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "region": ("EMEA", "APAC", "AMER", "LATAM"),
    "segment": ("Enterprise", "Midmarket", "Startup", "Public"),
    "tier": ("Gold", "Silver", "Bronze"),
    "category": ("Hardware", "Software", "Services", "Training", "Support"),
    "brand": ("Acme", "Borealis", "Cobalt", "Dunlin"),
    "reason": ("damaged", "late", "duplicate", "unwanted"),
    "channel": ("web", "partner", "phone", "store"),
    "order_year": ("2022", "2023", "2024"),
    "order_quarter": ("Q1", "Q2", "Q3", "Q4"),
}

# The alias of the view that holds the column; also the order of conditions in a golden query.
ALIAS: Final[dict[str, str]] = {
    "region": "c",
    "segment": "c",
    "tier": "c",
    "category": "p",
    "brand": "p",
    "reason": "r",
    "channel": "o",
    "order_year": "o",
    "order_quarter": "o",
}

PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "region": ("in {v}", "in the {v} region"),
    "segment": ("from {v} customers", "in the {v} segment"),
    "tier": ("from {v} tier accounts", "on the {v} tier"),
    "category": ("for {v} products", "in the {v} category"),
    "brand": ("for the {v} brand", "made by {v}"),
    "reason": ("with reason {v}", "refunded as {v}"),
    "channel": ("through the {v} channel", "sold via {v}"),
    "order_year": ("in {v}", "during {v}"),
    "order_quarter": ("in {v}", "over {v}"),
}


def literal(column: str, value: str) -> str:
    """The value as SQL writes it: years are integers, all else is text."""
    return value if column == "order_year" else f"'{value}'"
