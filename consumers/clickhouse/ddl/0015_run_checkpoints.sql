-- What a run started from and wrote, and in whose term.
ALTER TABLE runs
    ADD COLUMN IF NOT EXISTS policy String,
    ADD COLUMN IF NOT EXISTS checkpoint String,
    ADD COLUMN IF NOT EXISTS fingerprint String,
    ADD COLUMN IF NOT EXISTS epoch Nullable(Int64);

CREATE OR REPLACE VIEW runs_first AS SELECT * FROM runs FINAL;
