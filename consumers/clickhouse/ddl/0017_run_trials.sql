-- Whether a run is one of a search for settings.
ALTER TABLE runs ADD COLUMN IF NOT EXISTS trial Bool;

CREATE OR REPLACE VIEW runs_first AS SELECT * FROM runs FINAL;
