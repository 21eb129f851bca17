-- What people did with answers.
CREATE TABLE IF NOT EXISTS feedback (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    completion_id String,
    kind LowCardinality(String),
    value Float64,
    comment Nullable(String),
    user_hash Nullable(String),
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
CREATE OR REPLACE VIEW feedback_first AS SELECT * FROM feedback FINAL;
