"""The kinds of syntax that a query may be made of, and how sqlglot names functions."""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

QUERIES: Final = (exp.Select, exp.SetOperation)
"""What a statement may be, parentheses apart."""

# Everything else in a tree is refused, so that syntax sqlglot learns later is refused too.
_PLAIN: Final = (
    exp.Select, exp.SetOperation, exp.Subquery, exp.With, exp.CTE, exp.RecursiveWithSearch,
    exp.From, exp.Join, exp.Lateral, exp.Where, exp.Group, exp.Having, exp.Qualify, exp.Order,
    exp.Ordered, exp.Limit, exp.Offset, exp.Fetch, exp.Distinct, exp.Table, exp.TableAlias,
    exp.Alias, exp.Aliases, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Boolean,
    exp.Null, exp.Paren, exp.Tuple, exp.Values, exp.Between, exp.In, exp.Interval, exp.IntervalSpan,
    exp.Var, exp.DataType, exp.DataTypeParam, exp.Window, exp.WindowSpec, exp.Filter,
    exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls, exp.Bracket, exp.Slice, exp.Lambda,
    exp.Cube, exp.Rollup, exp.GroupingSets, exp.PropertyEQ, exp.Unnest, exp.Any, exp.All,
    exp.Exists, exp.LimitOptions, exp.AtTimeZone, exp.Binary, exp.Unary, exp.JSONPath,
    exp.JSONPathPart, exp.JSONKeyValue,
)  # fmt: skip

# Syntax that sqlglot calls a function, and no function of an engine.
_SYNTAX: Final = (
    exp.And, exp.Or, exp.Xor, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.Exists, exp.Array,
    exp.Struct, exp.Map, exp.ToMap, exp.Collate, exp.Extract, exp.Trim, exp.Like, exp.ILike,
    exp.RegexpLike, exp.Glob, exp.Any,
)  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# sqlglot's name where it is none of an engine's: it maps functions of all dialects onto its own.
_CANONICAL: Final = _words(
    """time_to_str str_to_time time_to_unix timestamp_trunc date_trunc str_position explode
    array_agg percentile_cont percentile_disc date_from_parts timestamp_from_parts regexp_like
    ts_or_ds_to_timestamp ts_or_ds_to_date ts_or_ds_add ts_or_ds_diff array_concat
    variance_pop stddev_pop stddev_samp approx_distinct logical_and logical_or day_of_week
    day_of_month day_of_year week_of_year dayofweek_iso datetime_trunc
    timestamp_sub timestamp_add datetime_add date_add date_sub unix_to_time str_to_date
    array_contains array_contains_all array_overlaps array_size array_to_string split
    split_part regexp_extract regexp_extract_all regexp_replace generate_series struct_extract
    json_extract json_extract_scalar is_nan is_inf safe_divide chr to_days
    array_filter transform array_sum array_max array_min array_first array_last array_distinct
    map_from_entries bitwise_and_agg bitwise_or_agg bitwise_xor_agg explode_outer
    time_from_parts time_str_to_time date_bin levenshtein sha2 to_number
    array_sort array_reverse array_append array_prepend array_intersect reduce pad
    j_s_o_n_object j_s_o_n_array regexp_split"""
)


def is_plain(node: exp.Expr) -> bool:
    """Whether the node is syntax of a query, function calls apart."""
    return isinstance(node, _PLAIN)


def function_names(node: exp.Expr) -> Iterator[str]:
    """Names by which the function may be allowed, lower case; none for syntax."""
    if isinstance(node, _SYNTAX) or not isinstance(node, exp.Func):
        return
    if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)):
        yield node.name.lower()
        return
    for name in node.sql_names():
        yield name.lower()


def is_canonical(name: str) -> bool:
    """Whether the name is sqlglot's own for something that engines call otherwise."""
    return name in _CANONICAL
