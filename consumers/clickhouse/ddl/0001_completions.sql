-- Answers as captured. `prompt` is the last message, `output_length` is in characters.
CREATE TABLE IF NOT EXISTS completions (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    slice LowCardinality(String),
    prompt String,
    output String,
    output_length Int64,
    model LowCardinality(String),
    checkpoint Nullable(String),
    temperature Nullable(Float64),
    top_p Nullable(Float64),
    seed Nullable(Int64),
    finish_reason LowCardinality(String),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cost_usd Nullable(Float64),
    latency_ms Nullable(Float64),
    user_hash Nullable(String),
    origin LowCardinality(String),
    tags Array(String),
    expectation_kinds Array(LowCardinality(String)),
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
CREATE OR REPLACE VIEW completions_first AS SELECT * FROM completions FINAL;
