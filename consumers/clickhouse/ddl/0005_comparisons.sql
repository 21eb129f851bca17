-- Pairs of candidates, not yet judged.
CREATE TABLE IF NOT EXISTS comparisons (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    slice LowCardinality(String),
    purpose LowCardinality(String),
    prompt String,
    rubric_id LowCardinality(String),
    verifier_winner LowCardinality(String),
    a_id String,
    a_model LowCardinality(String),
    a_outcome LowCardinality(String),
    a_length Int64,
    b_id String,
    b_model LowCardinality(String),
    b_outcome LowCardinality(String),
    b_length Int64,
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
CREATE OR REPLACE VIEW comparisons_first AS SELECT * FROM comparisons FINAL;
