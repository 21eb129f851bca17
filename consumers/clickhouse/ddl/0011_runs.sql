-- Steps in the life of training runs; the last by occurred_at is a run's state.
CREATE TABLE IF NOT EXISTS runs (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    run_id String,
    status LowCardinality(String),
    manifest_hash String,
    algorithm LowCardinality(String),
    ungated Bool,
    detail String,
    hyper_parameters Map(String, String),
    metrics_before Map(String, Float64),
    metrics_after Map(String, Float64),
    gates Nested(
        name LowCardinality(String),
        verdict LowCardinality(String),
        value Nullable(Float64),
        threshold Nullable(Float64),
        detail String
    ),
    offset_ranges Nested(
        topic LowCardinality(String),
        topic_uuid LowCardinality(String),
        partition Int64,
        first Int64,
        last Int64
    ),
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
CREATE OR REPLACE VIEW runs_first AS SELECT * FROM runs FINAL;
