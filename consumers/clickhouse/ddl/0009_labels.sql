-- People's verdicts on comparisons.
CREATE TABLE IF NOT EXISTS labels (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    comparison_id String,
    prompt_id String,
    content_sha256 String,
    annotator LowCardinality(String),
    role LowCardinality(String),
    winner LowCardinality(String),
    criteria Array(LowCardinality(String)),
    seconds Nullable(Float64),
    comment Nullable(String),
    shown_order LowCardinality(String),
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
CREATE OR REPLACE VIEW labels_first AS SELECT * FROM labels FINAL;
