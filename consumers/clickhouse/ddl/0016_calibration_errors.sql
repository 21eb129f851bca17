-- What else was measured of a judge: errors of its biases, how far its confidence can be believed.
ALTER TABLE calibrations
    ADD COLUMN IF NOT EXISTS position_bias_error Nullable(Float64),
    ADD COLUMN IF NOT EXISTS length_slope_error Nullable(Float64),
    ADD COLUMN IF NOT EXISTS ece Nullable(Float64),
    ADD COLUMN IF NOT EXISTS brier Nullable(Float64),
    ADD COLUMN IF NOT EXISTS temperature Nullable(Float64),
    ADD COLUMN IF NOT EXISTS scaled_ece Nullable(Float64),
    ADD COLUMN IF NOT EXISTS scaled_brier Nullable(Float64),
    ADD COLUMN IF NOT EXISTS isotonic_ece Nullable(Float64),
    ADD COLUMN IF NOT EXISTS isotonic_brier Nullable(Float64),
    ADD COLUMN IF NOT EXISTS reliability.low Array(Float64),
    ADD COLUMN IF NOT EXISTS reliability.high Array(Float64),
    ADD COLUMN IF NOT EXISTS reliability.n Array(Int64),
    ADD COLUMN IF NOT EXISTS reliability.confidence Array(Float64),
    ADD COLUMN IF NOT EXISTS reliability.accuracy Array(Float64),
    ADD COLUMN IF NOT EXISTS checkpoints Map(LowCardinality(String), Int64),
    ADD COLUMN IF NOT EXISTS prompts Int64;

CREATE OR REPLACE VIEW calibrations_first AS SELECT * FROM calibrations FINAL;
