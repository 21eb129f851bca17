-- Verdicts over both orders; `margin` and `position_bias` are in log-odds, margin > 0 favours A.
CREATE TABLE IF NOT EXISTS judgments (
    event_id String,
    occurred_at DateTime64(6, 'UTC'),
    workload_id LowCardinality(String),
    config_hash LowCardinality(String),
    source_ids Array(String),
    prompt_id String,
    slice LowCardinality(String),
    purpose LowCardinality(String),
    prompt String,
    comparison_id String,
    rubric_id LowCardinality(String),
    rubric_version LowCardinality(String),
    teacher_model LowCardinality(String),
    judge_config_hash LowCardinality(String),
    verifier_winner LowCardinality(String),
    winner LowCardinality(String),
    crosscheck_winner Nullable(String),
    margin Nullable(Float64),
    position_bias Nullable(Float64),
    agreement Nullable(Float64),
    a_id String,
    a_model LowCardinality(String),
    a_outcome LowCardinality(String),
    a_length Int64,
    b_id String,
    b_model LowCardinality(String),
    b_outcome LowCardinality(String),
    b_length Int64,
    opinions Nested(
        judge LowCardinality(String),
        order LowCardinality(String),
        answer LowCardinality(String),
        p_first Nullable(Float64),
        p_second Nullable(Float64),
        p_tie Nullable(Float64),
        captured_mass Nullable(Float64),
        input_tokens Nullable(Int64),
        output_tokens Nullable(Int64),
        latency_ms Nullable(Float64),
        cost_usd Nullable(Float64)
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
CREATE OR REPLACE VIEW judgments_first AS SELECT * FROM judgments FINAL;
