-- title: How often does the judge decide, tie or contradict itself, by slice?
-- param: workload String = '' (only this workload; empty for all)
-- param: purpose String = 'PRODUCTION' (what the comparisons were for; empty for all)
-- Only comparisons that a judge saw: those that a verifier decided have no opinions.
SELECT
    slice,
    count() AS judged,
    round(100 * countIf(winner IN ('A', 'B')) / judged, 1) AS decided_percent,
    round(100 * countIf(winner = 'TIE') / judged, 1) AS tie_percent,
    round(100 * countIf(winner = 'CONFLICT') / judged, 1) AS conflict_percent,
    round(100 * countIf(winner = 'INVALID') / judged, 1) AS invalid_percent,
    round(avgOrNull(position_bias), 2) AS position_bias_mean
FROM judgments_first
WHERE notEmpty(opinions.judge)
  AND {workload:String} IN ('', workload_id)
  AND {purpose:String} IN ('', purpose)
GROUP BY slice
ORDER BY judged DESC, slice
