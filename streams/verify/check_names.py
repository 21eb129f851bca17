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


# As sql_checks.py has it: many wrong queries give the right number of rows.
_NEVER_HARD = "sql_row_count"


def check_names(settings: VerifySettings) -> frozenset[str]:
    """Every check that these settings know; raises ``ConfigError`` for a plug-in that cannot be."""
    return frozenset(_by_name(settings))


def hard_check_names(settings: VerifySettings) -> frozenset[str]:
    """Those whose FAIL decides against an answer; raises as ``check_names``."""
    return frozenset(name for name, hard in _by_name(settings).items() if hard)


def _by_name(settings: VerifySettings) -> dict[str, bool]:
    text = {rule.name: rule.hard for rule in settings.text}
    plugins = load_plugins(settings.plugins, sorted(_BUILT_IN | set(text)), settings.plugin_limit_s)
    soft = {_NEVER_HARD, *settings.soft}
    own = {name: name not in soft for name in _BUILT_IN}
    return own | text | {plugin.name: plugin.hard for plugin in plugins}
