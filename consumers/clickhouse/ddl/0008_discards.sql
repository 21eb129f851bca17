-- What a stage did not pass on, and why; `reason` is the one that accounting counts.
CREATE TABLE IF NOT EXISTS discards (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    stage LowCardinality(String),
    reason LowCardinality(String),
    reasons Array(LowCardinality(String)),
    numbers Map(String, Float64),
    subject_ids Array(String),
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
CREATE OR REPLACE VIEW discards_first AS SELECT * FROM discards FINAL;
