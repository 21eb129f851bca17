-- How well a judge configuration agrees with people; slice '' means all.
CREATE TABLE IF NOT EXISTS calibrations (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    judge_config_hash LowCardinality(String),
    rubric_version LowCardinality(String),
    panel Array(LowCardinality(String)),
    split LowCardinality(String),
    slice LowCardinality(String),
    n Int64,
    confusion Nested(
        human LowCardinality(String),
        judge LowCardinality(String),
        n Int64
    ),
    observed_agreement Nullable(Float64),
    kappa Nullable(Float64),
    standard_error Nullable(Float64),
    lower_bound Nullable(Float64),
    upper_bound Nullable(Float64),
    coverage Nullable(Float64),
    parse_failures Int64,
    position_bias Nullable(Float64),
    length_slope Nullable(Float64),
    verdict LowCardinality(String),
    event String CODEC(ZSTD(3)),
    kafka_topic_uuid LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset Int64,
    kafka_timestamp DateTime64(3, 'UTC'),
    version Int64 MATERIALIZED -kafka_offset
) ENGINE = ReplacingMergeTree(version)
ORDER BY (workload_id, event_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- One row an event: the first offset wins, merged or not.
CREATE OR REPLACE VIEW calibrations_first AS SELECT * FROM calibrations FINAL;
