-- Pairs that a policy may be trained on; `chosen` and `rejected` are the last messages.
CREATE TABLE IF NOT EXISTS preferences (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    slice LowCardinality(String),
    prompt String,
    source LowCardinality(String),
    chosen_id String,
    chosen String,
    chosen_length Int64,
    chosen_checks Map(String, String),
    rejected_id String,
    rejected String,
    rejected_length Int64,
    rejected_checks Map(String, String),
    margin Nullable(Float64),
    agreement Nullable(Float64),
    rubric_version LowCardinality(String),
    teacher_model LowCardinality(String),
    judge_config_hash LowCardinality(String),
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
CREATE OR REPLACE VIEW preferences_first AS SELECT * FROM preferences FINAL;
