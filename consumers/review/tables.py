"""The tables behind the review pages: queues, reservations, drafts, people.

Labels themselves are events in Kafka; what stands here of them is what the queues need to know,
and can be read again from the topic.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from infra.settings import Settings, variable
from schemas.errors import ConfigError, DependencyDown

METADATA = MetaData()

# Moments are seconds since the epoch, UTC: the same number in every database.
PEOPLE = Table(
    "people",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("active", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("cookie_sha256", String(64), primary_key=True),
    Column("person", ForeignKey("people.name"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", Float, nullable=False),
)
COMPARISONS = Table(
    "comparisons",
    METADATA,
    Column("comparison_id", String(128), primary_key=True),
    Column("event", Text, nullable=False),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("comparison_id", ForeignKey("comparisons.comparison_id"), nullable=False),
    # The same two texts are asked about once, on whichever side each stands.
    Column("content", String(64), nullable=False),
    Column("slice", String(128), nullable=False),
    Column("excerpt", String(200), nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("role", "content"),
    Index("items_open", "role", "state", "id"),
    Index("items_of_comparison", "comparison_id", "role"),
)
# A label names its texts by the hash of one order of them; either leads to the items' content.
TEXTS = Table(
    "texts",
    METADATA,
    Column("content_sha256", String(64), primary_key=True),
    Column("content", String(64), nullable=False),
)
RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("shown_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("reservations_of_person", "person", "expires_at"),
)
DRAFTS = Table(
    "drafts",
    METADATA,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("choice", String(16), nullable=False),
    Column("criteria", JSON, nullable=False),
    Column("comment", Text, nullable=False),
    Column("updated_at", Float, nullable=False),
)
SKIPS = Table(
    "skips",
    METADATA,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)
LABELS = Table(
    "labels",
    METADATA,
    Column("event_id", String(128), primary_key=True),
    Column("item", ForeignKey("items.id"), nullable=False),
    Column("person", String(64), nullable=False),
    Column("winner", String(16), nullable=False),
    # sending: Kafka may or may not have it; acknowledged: it has; withdrawn: taken back
    Column("state", String(16), nullable=False),
    Column("revealed", Boolean, nullable=False),
    Column("at", Float, nullable=False),
    Column("event", Text, nullable=False),
    Index("labels_of_item", "item", "person"),
    Index("labels_of_person", "person", "at"),
)
INTAKE = Table(
    "intake",
    METADATA,
    Column("topic", String(255), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("topic_uuid", String(64), nullable=False),
    Column("next_offset", Integer, nullable=False),
)
# One row that every change of a queue writes first: changes happen one after the other in every
# database, so that two people never take the last place of an item.
TURN = Table("turn", METADATA, Column("id", Integer, primary_key=True), Column("n", Integer))

_BUSY_S = 10


def database_url(settings: Settings) -> str:
    """Where the queues are: the configured database, else a file in the data folder."""
    if settings.review_database_url is not None:
        return settings.review_database_url.get_secret_value()
    folder = settings.data_dir / "review"
    return f"sqlite:///{folder.absolute()}/{settings.topic_prefix}review.sqlite"


def open_database(settings: Settings) -> Engine:
    """The database with its tables, made where they are missing.

    Raises ``ConfigError`` for an address that cannot be used, ``DependencyDown`` where the
    database does not answer.
    """
    if settings.review_database_url is None:
        folder = settings.data_dir / "review"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    named = variable("review_database_url")
    try:
        url = make_url(database_url(settings))
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(
            f"{named} cannot be used ({type(error).__name__}); give sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/DATABASE (the latter needs `prefstream[postgres]`)"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    try:
        METADATA.create_all(engine)
        with engine.begin() as connection:
            if connection.execute(TURN.select()).first() is None:
                connection.execute(TURN.insert().values(id=1, n=0))
    except OperationalError:
        raise DependencyDown(
            f"the review database at {url.render_as_string(hide_password=True)} does not answer; "
            f"start it, or correct {named}",
            reason="unreachable",
        ) from None
    return engine


def take_turn(connection: Connection) -> None:
    """Wait for every other change of the queues to be committed; nobody else's begins before."""
    connection.execute(TURN.update().values(n=TURN.c.n + 1))


def _set_up_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    execute = connection.execute  # type: ignore[attr-defined]  # sqlite3's own connection
    # Readers go on while one writes, and a label survives the power failing.
    execute("PRAGMA journal_mode=WAL")
    execute("PRAGMA synchronous=FULL")
    execute("PRAGMA foreign_keys=ON")
    execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
