"""The names of a project's checks, without opening sandbox or databases."""

from streams.verify.plugin import load_plugins
from streams.verify.settings import VerifySettings

# What a prompt's expectations can switch on; a test compares it with the verifier's own.
_BUILT_IN = frozenset(
    {
        "answer_present",
        "sql_extract",
        "sql_gate",
        "sql_executes",
        "sql_row_count",
        "sql_result_match",
        "sql_instances",
        "json_parse",
        "json_schema",
        "json_match",
        "number_match",
        "unit_tests",
    }
)


def check_names(settings: VerifySettings) -> frozenset[str]:
    """Every check that these settings know; raises ``ConfigError`` for a plug-in that cannot be."""
    text = {rule.name for rule in settings.text}
    plugins = load_plugins(settings.plugins, sorted(_BUILT_IN | text), settings.plugin_limit_s)
    return _BUILT_IN | text | {plugin.name for plugin in plugins}
