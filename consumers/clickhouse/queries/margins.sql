-- title: How clear are the pairs, and how long are the chosen answers, by source?
-- param: workload String = '' (only this workload; empty for all)
SELECT
    source,
    count() AS pairs,
    round(quantileExactOrNull(0.1)(abs(margin)), 2) AS margin_p10,
    round(quantileExactOrNull(0.5)(abs(margin)), 2) AS margin_median,
    round(quantileExactOrNull(0.9)(abs(margin)), 2) AS margin_p90,
    quantileExact(0.5)(chosen_length) AS chosen_length_median,
    quantileExact(0.5)(rejected_length) AS rejected_length_median,
    round(100 * countIf(chosen_length > rejected_length) / pairs, 1) AS longer_chosen_percent
FROM preferences_first
WHERE {workload:String} IN ('', workload_id)
GROUP BY source
ORDER BY pairs DESC, source
