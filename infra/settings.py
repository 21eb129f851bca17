"""Where things run: endpoints, folders and secrets, from the environment (design §7).

PREFSTREAM_BOOTSTRAP_SERVERS   Kafka to use; without it, the running local stack's
PREFSTREAM_CLICKHOUSE_URL      ClickHouse to use; without it, the running local stack's
PREFSTREAM_DATA_DIR            what the local stack keeps (default .prefstream)
PREFSTREAM_CACHE_DIR           what can be fetched again (default ~/.cache/prefstream)
PREFSTREAM_LEDGER_PATH         what was looked at when (default ledger/ in the data dir)
PREFSTREAM_MODELS_DIR          promoted policies of a workload (default models/ in the data dir)
PREFSTREAM_REVIEW_DATABASE_URL where the review queues are (default a file in the data dir)
PREFSTREAM_PARTITIONS          partitions of every topic of the chain (default 4)
PREFSTREAM_REPLICATION_FACTOR  copies of each partition (default: as the cluster says)
PREFSTREAM_TOPIC_PREFIX        put before every topic and group name (default none)
PREFSTREAM_REGISTRY_URL        schema registry to register our schemas in
PREFSTREAM_MODEL_URL           OpenAI-compatible endpoint for judge and policy
PREFSTREAM_MODEL_API_KEY       its key
PREFSTREAM_DEVICE              where models compute in process: auto, cpu or cuda (default auto)
PREFSTREAM_VLLM_PYTHON         a python that has vLLM (default `prefstream vllm install`'s)
PREFSTREAM_NONCE_KEY           secret behind the codes in judge prompts, the same for all workers
PREFSTREAM_WEBHOOK_URL         where promotions, refusals and alarms are posted
"""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import ConfigError

PREFIX = "PREFSTREAM_"
AskedDevice = Literal["auto", "cpu", "cuda"]
# Two names this alike are one name and a slip; Kubernetes' own PREFSTREAM_PORT and the like are
# further from every name we know.
_SLIP_SIMILARITY = 0.85


def _expand(path: Path) -> Path:
    return path.expanduser()


def _expand_given(path: Path | None) -> Path | None:
    return None if path is None else _expand(path)


def _web_address(given: SecretStr | None) -> SecretStr | None:
    if given and not given.get_secret_value().startswith(("http://", "https://")):
        raise ValueError("give http://host/path or https://host/path")
    return given


class Settings(BaseSettings):
    """Endpoints, folders and secrets; frozen. Arguments win over environment variables.

    Raises ``ConfigError``, naming the variable and the remedy, for a value that cannot be used
    and for a variable whose name is almost one of these.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
    )

    bootstrap_servers: str | None = Field(default=None, pattern=r"^[^\s,:/]+:\d+(,[^\s,:/]+:\d+)*$")
    """Kafka's host:port[,host:port]; None = the local stack's."""
    clickhouse_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """ClickHouse over HTTP, http://user:password@host:port/database; None = the local stack's."""
    data_dir: Annotated[Path, AfterValidator(_expand)] = Path(".prefstream")
    """Broker data, tables, logs and the state file of the local stack."""
    cache_dir: Annotated[Path, AfterValidator(_expand)] = Path("~/.cache/prefstream").expanduser()
    """Kafka's jars and whatever else can be fetched again; shared between stacks."""
    ledger_path: Annotated[Path | None, AfterValidator(_expand_given)] = None
    """Looks at anchors and readings of the holdout; None = a file in ledger/ of data_dir."""
    models_dir: Annotated[Path | None, AfterValidator(_expand_given)] = None
    """Promoted policies of one workload and the alias of the one that serves; None = models/ of
    data_dir."""
    review_database_url: SecretStr | None = None
    """sqlite:///FILE or postgresql://user:password@host/database; None = a file in data_dir."""
    partitions: int = Field(default=4, ge=1, le=1000)
    """Of every topic of the chain: keys must fall in the same partition number everywhere."""
    replication_factor: int | None = Field(default=None, ge=1, le=10)
    """None = the cluster's default."""
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", max_length=100)
    """Separates pipelines that share a cluster: goes before topic and group names."""
    registry_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Schema registry in which our schemas are registered under our ids."""
    model_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """OpenAI-compatible endpoint (http://host:port/v1)."""
    model_api_key: SecretStr | None = None
    device: AskedDevice = "auto"
    """Of models in this process and of training; auto = a graphics card where there is one."""
    vllm_python: Annotated[Path | None, AfterValidator(_expand_given)] = None
    """The python of an environment that has vLLM; None = that of ``prefstream vllm install``."""
    nonce_key: SecretStr | None = Field(default=None, min_length=16)
    """None = one that is made for the data folder."""
    webhook_url: Annotated[SecretStr | None, AfterValidator(_web_address)] = None
    """http(s) address that takes JSON by POST. A secret: such addresses carry their own key."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: object, handler: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        """Turn pydantic's report into one sentence that names the variable."""
        _refuse_slips(os.environ)
        try:
            return handler(values)
        except ValidationError as error:
            raise ConfigError("; ".join(_sentence(e) for e in error.errors())) from None

    def environment(self) -> dict[str, str]:
        """These settings as variables for a child process; folders absolute, unset ones left out.

        It holds secrets in the clear: hand it to ``subprocess`` and nothing else.
        """
        variables: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Path):
                value = value.absolute()
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if value not in (None, ""):
                variables[variable(name)] = str(value)
        return variables


def variable(field: str) -> str:
    """The environment variable of a field of ``Settings``."""
    return f"{PREFIX}{field}".upper()


def _refuse_slips(names: Iterable[str]) -> None:
    known = [variable(field) for field in Settings.model_fields]
    for name in names:
        if not name.startswith(PREFIX) or name in known:
            continue
        if near := difflib.get_close_matches(name, known, n=1, cutoff=_SLIP_SIMILARITY):
            raise ConfigError(f"{name} is set but is no setting; you probably mean {near[0]}")


_REMEDIES = {
    "bootstrap_servers": "give host:port, several separated by commas",
    "clickhouse_url": "give http://host:port, with user:password@ before the host if needed",
    "registry_url": "give http://host:port",
    "model_url": "give http://host:port/v1",
    "device": "give auto, cpu or cuda",
    "topic_prefix": "use at most 100 letters, digits, dots, dashes and underscores",
    "partitions": "give a whole number from 1 to 1000",
    "replication_factor": "give a whole number from 1 to 10",
}

_SECRETS = ("model_api_key", "nonce_key", "webhook_url")


def _sentence(error: ErrorDetails) -> str:
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"Settings has no field {field}; see infra/settings.py for the list"
    remedy = _REMEDIES.get(field, error["msg"])
    if field in _SECRETS:
        return f"{variable(field)} cannot be used: {remedy}"
    return f"{variable(field)}={error['input']!r} cannot be used: {remedy}"
