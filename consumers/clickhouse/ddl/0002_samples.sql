-- Candidate sets: one prompt with all its candidates.
CREATE TABLE IF NOT EXISTS samples (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    slice LowCardinality(String),
    purpose LowCardinality(String),
    prompt String,
    expectation_kinds Array(LowCardinality(String)),
    candidates Nested(
        completion_id String,
        model LowCardinality(String),
        checkpoint Nullable(String),
        temperature Nullable(Float64),
        finish_reason LowCardinality(String),
        origin LowCardinality(String),
        output_length Int64
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
CREATE OR REPLACE VIEW samples_first AS SELECT * FROM samples FINAL;
