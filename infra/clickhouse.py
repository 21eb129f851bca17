"""ClickHouse clients: over HTTP to a server, or to the process that owns the embedded engine."""

from typing import TYPE_CHECKING

from infra.settings import Settings
from infra.stack_state import ClickHouseState, read_state, update_state
from schemas.errors import ConfigError, DependencyDown

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_CONNECT_TIMEOUT_S = 10


def clickhouse_url(settings: Settings) -> str:
    """ClickHouse's address: the configured one, else that of the local stack.

    Raises ``ConfigError`` where there is neither.
    """
    if settings.clickhouse_url:
        return settings.clickhouse_url
    owner = read_state(settings.data_dir).clickhouse
    if owner is None:
        raise ConfigError(
            f"no ClickHouse to talk to: none runs in {settings.data_dir}; run `prefstream up` "
            "or set PREFSTREAM_CLICKHOUSE_URL"
        )
    return owner.url


def client(settings: Settings) -> "Client":
    """A clickhouse-connect client; close it after use.

    Raises ``ConfigError`` where no address is known and ``DependencyDown`` where nobody answers.
    """
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    url = clickhouse_url(settings)
    try:
        return clickhouse_connect.get_client(
            dsn=url,
            connect_timeout=_CONNECT_TIMEOUT_S,
            # One client may serve several threads; the server would allow a session one query.
            autogenerate_session_id=False,
        )
    except ClickHouseError as error:
        shown = url.rpartition("@")[2]
        raise DependencyDown(
            f"ClickHouse at {shown} does not answer ({type(error).__name__}); "
            "see `prefstream status`",
            reason="unreachable",
        ) from None


def announce(settings: Settings, owner: ClickHouseState | None) -> None:
    """Write into the stack's state file who owns the embedded engine and where; None: nobody."""
    update_state(settings.data_dir, lambda s: s.model_copy(update={"clickhouse": owner}))
