"""What DuckDB's own parser says a query touches, against what it may touch.

The gate reads a query with another parser than the engine; where the two differ a query could show
one face to each. This is the engine's face. Standard library only: the child imports it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from streams.verify.sql_functions import ALLOWED, TABLE_FUNCTIONS

_SCHEMAS = frozenset({"", "main"})
# Every kind of relation that reads allowed tables, other relations or its own text.
_RELATIONS = frozenset({"JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "EMPTY_FROM"})
_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})


def refuse(serialized: str, tables: frozenset[str]) -> None:
    """Raise PermissionError unless the output of ``json_serialize_sql`` is one harmless SELECT."""
    parsed = json.loads(serialized)
    if parsed.get("error"):
        raise PermissionError(str(parsed.get("error_message", "not a SELECT")))
    statements = parsed["statements"]
    if len(statements) != 1:
        raise PermissionError(f"{len(statements)} statements")
    _visit(statements[0], tables)


def _visit(value: object, known: frozenset[str]) -> None:
    """Refuse what is not allowed below ``value``; ``known`` are the relations in scope there."""
    if isinstance(value, list):
        for item in value:
            _visit(item, known)
    elif isinstance(value, dict):
        _refuse_relation(value, known)
        _refuse_function(value)
        for entry in (value.get("cte_map") or {}).get("map", []):
            _visit(entry["value"], known)  # a CTE sees those before it
            known |= {str(entry["key"]).lower()}
        recursive = value.get("type") == "RECURSIVE_CTE_NODE"
        for field, child in value.items():
            if field != "cte_map":
                # only the step of a recursive CTE sees itself, its start does not
                own = {str(value["cte_name"]).lower()} if recursive and field == "right" else set()
                _visit(child, known | own)


def _refuse_relation(node: Mapping[str, Any], known: frozenset[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        place = (str(node.get("catalog_name", "")), str(node.get("schema_name", "")).lower())
        if place[0] or place[1] not in _SCHEMAS or str(node["table_name"]).lower() not in known:
            raise PermissionError(f"table {node['table_name']}")
    elif kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise PermissionError(f"table function {name}")
    for relation in _relations(node):
        if relation not in _RELATIONS | {"BASE_TABLE", "TABLE_FUNCTION"}:
            raise PermissionError(f"relation {relation}")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _NODES:
        raise PermissionError(kind)
    if node.get("sample"):
        raise PermissionError("a sample is not deterministic")


def _relations(node: Mapping[str, Any]) -> Iterator[str]:
    for place in ("from_table", "left", "right"):
        relation = node.get(place)
        # Comparisons have a left and a right too, but those carry an expression class.
        if isinstance(relation, dict) and "class" not in relation and "type" in relation:
            kind = str(relation["type"])
            if not kind.endswith("_NODE"):
                yield kind


def _refuse_function(node: Mapping[str, Any]) -> None:
    if node.get("class") not in ("FUNCTION", "WINDOW") or node.get("is_operator"):
        return
    name = str(node.get("function_name", "")).lower()
    if name not in ALLOWED["duckdb"]:
        raise PermissionError(f"function {name}")
