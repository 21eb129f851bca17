-- A label that takes another one back names it; it is no verdict of its own.
ALTER TABLE labels ADD COLUMN IF NOT EXISTS withdraws Nullable(String);

CREATE OR REPLACE VIEW labels_first AS SELECT * FROM labels FINAL;
