-- Who of a panel said what, and what has to be known of a verdict.
ALTER TABLE judgments
    ADD COLUMN IF NOT EXISTS panel LowCardinality(String),
    ADD COLUMN IF NOT EXISTS marks Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS pre_checks.candidate Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS pre_checks.rule Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS opinions.member Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS opinions.sample Array(Nullable(Int64)),
    ADD COLUMN IF NOT EXISTS opinions.left_out_characters Array(Int64);

CREATE OR REPLACE VIEW judgments_first AS SELECT * FROM judgments FINAL;

ALTER TABLE preferences
    ADD COLUMN IF NOT EXISTS panel LowCardinality(String),
    ADD COLUMN IF NOT EXISTS marks Array(LowCardinality(String));

CREATE OR REPLACE VIEW preferences_first AS SELECT * FROM preferences FINAL;
