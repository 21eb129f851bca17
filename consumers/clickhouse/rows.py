"""An event as a row of its table: a pure function, one column set an event type.

A column that has an attribute's name holds it; the others are computed here. Everything that has
no column is in ``event``, the whole event as JSON.
"""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import singledispatch
from typing import TypeAlias

from consumers.clickhouse.chain_rows import chain_columns
from consumers.clickhouse.nested import Cell, named, nested
from schemas.events import (
    Calibration,
    DeadLetter,
    Discard,
    Event,
    Feedback,
    Label,
    Run,
)

Row: TypeAlias = dict[str, Cell]

# What a DateTime64(6) column can hold (ClickHouse reference, DateTime64). An event time outside
# is clamped, so that one mad clock cannot stop the sink; `event` keeps it as it was.
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2262, 1, 1, tzinfo=UTC)


def row(event: Event) -> Row:
    """The event's row, without the columns that say where it stands in Kafka."""
    return {
        "event_id": event.event_id,
        "occurred_at": min(max(event.occurred_at, _EARLIEST), _LATEST),
        "workload_id": event.workload_id,
        "config_hash": event.config_hash,
        "source_ids": list(event.source_ids),
        **columns(event),
        "event": event_json(event),
    }


def event_json(event: Event) -> str:
    """The whole event as JSON; the bytes of a dead letter are in base64."""
    if not isinstance(event, DeadLetter):
        return event.model_dump_json()
    dumped = event.model_dump(mode="json", exclude={"key", "value"})
    key = None if event.key is None else base64.b64encode(event.key).decode()
    return json.dumps(dumped | {"key": key, "value": base64.b64encode(event.value).decode()})


@singledispatch
def columns(event: Event) -> Row:
    """The columns that only this type of event has."""
    return chain_columns(event)


@columns.register(Feedback)
def _(event: Feedback) -> Row:
    return named(event, "prompt_id completion_id kind value comment user_hash")


@columns.register(Discard)
def _(event: Discard) -> Row:
    return named(event, "stage reason reasons numbers subject_ids")


@columns.register(Label)
def _(event: Label) -> Row:
    return {
        **named(event, "comparison_id prompt_id content_sha256 annotator role winner criteria"),
        **named(event, "seconds comment withdraws"),
        "shown_order": event.order,
    }


@columns.register(Calibration)
def _(event: Calibration) -> Row:
    return {
        **named(event, "judge_config_hash rubric_version panel split slice n"),
        **nested("confusion", event.confusion, "human judge n"),
        **named(event, "observed_agreement kappa standard_error lower_bound upper_bound"),
        **named(event, "coverage parse_failures position_bias length_slope verdict"),
        **named(event, "position_bias_error length_slope_error ece brier temperature"),
        **named(event, "scaled_ece scaled_brier isotonic_ece isotonic_brier checkpoints prompts"),
        **nested("reliability", event.reliability, "low high n confidence accuracy"),
    }


@columns.register(Run)
def _(event: Run) -> Row:
    return {
        **named(event, "run_id status manifest_hash algorithm ungated detail"),
        **named(event, "hyper_parameters metrics_before metrics_after"),
        **named(event, "policy checkpoint fingerprint epoch trial"),
        **nested("gates", event.gates, "name verdict value threshold detail"),
        **nested("offset_ranges", event.offset_ranges, "topic topic_uuid partition first last"),
    }


@columns.register(DeadLetter)
def _(event: DeadLetter) -> Row:
    return {
        **named(event, "stage error_class message attempt retryable value_sha256 value_bytes"),
        "source_topic": event.topic,
        "source_partition": event.partition,
        "source_offset": event.offset,
    }


def json_lines(rows: Sequence[Row]) -> bytes:
    """The rows in ClickHouse's JSONEachRow: of the formats that every engine takes, the one that
    costs no import of pandas (4 s) in the driver; times are UTC with microseconds."""
    return b"\n".join(json.dumps(one, ensure_ascii=False, default=_moment).encode() for one in rows)


def _moment(cell: object) -> str:
    if not isinstance(cell, datetime):
        raise TypeError(f"a {type(cell).__name__} is no cell of a row")
    return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
