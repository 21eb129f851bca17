-- title: How well does each judge agree with people, split by split?
-- param: workload String = '' (only this workload; empty for all)
-- param: slice String = '' (this slice; empty for all anchors together)
-- A judge is measured again as labels come in; the gate reads the newest.
SELECT
    judge_config_hash AS judge,
    split,
    formatDateTime(occurred_at, '%Y-%m-%d %R') AS newest_label,
    n,
    round(calibrations_first.kappa, 3) AS kappa,
    round(lower_bound, 3) AS low,
    round(upper_bound, 3) AS high,
    round(calibrations_first.coverage, 3) AS coverage,
    round(calibrations_first.ece, 3) AS ece,
    verdict
FROM calibrations_first
WHERE {workload:String} IN ('', workload_id)
  AND slice = {slice:String}
ORDER BY judge, split, occurred_at, event_id
