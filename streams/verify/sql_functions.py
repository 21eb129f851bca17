"""Which functions a query may call. Standard library only: the child imports it too.

An allow-list, since engines grow functions: files, settings, environment, clocks, random numbers
and anything that can make a huge value out of a small one are simply not on it.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON: Final = _words("""
count sum avg min max total group_concat string_agg count_star
abs round ceil ceiling floor sign sqrt power pow exp ln log log10 log2 mod pi
lower upper length trim ltrim rtrim substr substring replace instr concat concat_ws
coalesce ifnull nullif if iif nvl
like glob regexp not_like
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
date time datetime strftime julianday unixepoch timediff
hex unicode char quote typeof
json json_extract json_array_length json_type json_valid -> ->>
greatest least
""")

_SQLITE: Final = _words("acos asin atan atan2 cos cot degrees radians sin tan trunc")

_DUCKDB: Final = _words("""
mean median mode stddev stddev_pop stddev_samp variance var_pop var_samp product fsum kahan_sum
quantile quantile_cont quantile_disc percentile_cont percentile_disc approx_count_distinct
any_value arbitrary first last arg_max arg_min max_by min_by argmax argmin count_if countif
bool_and bool_or bit_and bit_or bit_xor corr covar_pop covar_samp regr_slope regr_intercept
skewness kurtosis entropy mad histogram list array_agg listagg geomean favg
len strlen char_length character_length lcase ucase reverse left right contains starts_with
ends_with prefix suffix strpos position split_part string_split str_split starts_with chr ascii ord
regexp_matches regexp_like regexp_replace regexp_extract regexp_full_match regexp_extract_all
string_split_regex like_escape ilike_escape not_like_escape not_ilike_escape
similar_to nfc_normalize strip_accents format printf levenshtein jaccard hamming damerau_levenshtein
editdist3 jaro_similarity jaro_winkler_similarity
isnan isinf isfinite even trunc cbrt degrees radians sin cos tan asin acos atan atan2 cot gamma
lgamma factorial xor divide fdiv fmod add subtract multiply bit_count nextafter
try_cast cast case struct_pack struct_extract struct_extract_at row list_value list_extract
list_element array_extract list_contains array_contains list_has array_has len array_length
list_sum list_avg list_min list_max list_count list_sort list_distinct list_unique list_concat
list_aggregate list_filter list_transform list_apply list_slice array_slice list_position
element_at map map_extract map_keys map_values cardinality unnest list_zip flatten
year month day hour minute second quarter week weekday dayofweek dayofmonth dayofyear isodow
isoyear weekofyear yearweek decade century millennium era epoch epoch_ms epoch_us dayname monthname
date_part datepart extract date_trunc datetrunc date_diff datediff date_sub datesub date_add
last_day make_date make_time make_timestamp strptime try_strptime to_timestamp age time_bucket
to_years to_months to_quarters to_weeks to_days to_hours to_minutes to_seconds to_milliseconds
to_microseconds to_decades to_centuries to_millennia julian
~~ !~~ ~~* !~~* ~~~ ^@ || + - * / // % ** ^ & | ~ << >> ! @ <-> <=> <@ @> &&
md5 sha256 hash bin to_base lpad rpad repeat timezone
list_reverse list_reverse_sort list_reduce list_append list_prepend list_intersect list_has_any
list_has_all array_to_string string_to_array regexp_split_to_array to_json
approx_quantile weighted_avg wavg try
range generate_series generate_subscripts grouping grouping_id
json_extract_string json_keys json_array json_object is_distinct_from
error_free_transform coalesce ends_with encode decode base64 to_base64 from_base64
""")

# Nothing that reads a clock (age of one argument among them), a setting or a sequence, and nothing
# that repeats or pads a text.
_POSTGRES: Final = _words("""
stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope
regr_intercept percentile_cont percentile_disc mode bool_and bool_or every array_agg bit_and bit_or
trunc cbrt degrees radians sin cos tan asin acos atan atan2 cot div width_bucket log gcd lcm
char_length character_length octet_length left right reverse initcap btrim strpos position
split_part translate ascii chr md5 starts_with regexp_replace regexp_match regexp_like
regexp_substr regexp_count to_char to_date to_number to_timestamp date_part date_trunc extract
make_date make_time make_timestamp make_interval justify_days justify_hours
array_length cardinality array_position array_to_string string_to_array array_cat array_append
json_extract_path json_extract_path_text jsonb_extract_path jsonb_extract_path_text
jsonb_array_length jsonb_typeof json_typeof num_nulls num_nonnulls grouping cast
""")

# What servers have in common, beside the above; nothing that repeats or pads a text.
_GENERIC: Final = _words("""
stddev stddev_pop stddev_samp variance var_pop var_samp corr percentile_cont percentile_disc
bool_and bool_or array_agg listagg string_agg approx_count_distinct trunc cbrt degrees radians sin
cos tan asin acos atan atan2 cot char_length character_length left right reverse initcap position
strpos charindex locate split_part translate regexp_replace regexp_like regexp_substr to_char
to_date to_number date_part date_trunc extract datediff date_diff dateadd date_add date_sub last_day
year month day hour minute second quarter week dayofweek dayofmonth dayofyear grouping cast try_cast
""")

ALLOWED: Final[dict[str, frozenset[str]]] = {
    "sqlite": _COMMON | _SQLITE,
    "duckdb": (_COMMON - {"julianday", "unixepoch", "timediff"}) | _DUCKDB,
    "postgres": (_COMMON - {"julianday", "unixepoch", "timediff"}) | _POSTGRES,
}
"""Function names by dialect, lower case, as the engine itself calls them."""

_ANY_SERVER: Final = (_COMMON - {"julianday", "unixepoch", "timediff"}) | _GENERIC


def allowed_functions(dialect: str) -> frozenset[str]:
    """Names that may be called in this dialect; of a server without a list, what all have."""
    return ALLOWED.get(dialect, _ANY_SERVER)


TABLE_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest"})
"""Generators that read nothing but their arguments."""
