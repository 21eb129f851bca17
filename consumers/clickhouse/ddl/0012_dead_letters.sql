-- Messages that a stage could not process, named by where they stand in Kafka. The bytes are
-- base64 inside `event`: SELECT base64Decode(JSONExtractString(event, 'value')).
CREATE TABLE IF NOT EXISTS dead_letters (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    stage LowCardinality(String),
    source_topic LowCardinality(String),
    source_partition Int64,
    source_offset Int64,
    error_class LowCardinality(String),
    message String,
    attempt Int64,
    retryable Bool,
    value_sha256 String,
    value_bytes Int64,
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
CREATE OR REPLACE VIEW dead_letters_first AS SELECT * FROM dead_letters FINAL;
