-- title: How well does each judge agree with people, split by split?
-- param: workload String = '' (only this workload; empty for all)
-- param: slice String = '' (this slice; empty for all anchors together)
-- A judge is measured again as labels come in; the gate reads the newest.
SELECT
    judge_config_hash,
    rubric_version,
    split,
    occurred_at,
    n,
    prompts,
    round(kappa, 3) AS agreement_kappa,
    round(lower_bound, 3) AS lower_95_percent,
    round(upper_bound, 3) AS upper_95_percent,
    round(100 * coverage, 1) AS coverage_percent,
    round(ece, 4) AS calibration_error,
    round(scaled_ece, 4) AS by_temperature,
    round(isotonic_ece, 4) AS by_isotonic,
    verdict
FROM calibrations_first
WHERE {workload:String} IN ('', workload_id)
  AND slice = {slice:String}
ORDER BY judge_config_hash, split, occurred_at, event_id
