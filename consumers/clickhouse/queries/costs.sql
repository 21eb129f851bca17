-- title: What did judging cost, by model as it answered?
-- param: workload String = '' (only this workload; empty for all)
-- An answer that was read back from the verdict store counts with what it cost when it was asked,
-- and so does a ranking of a whole set with each pair that it decided.
SELECT
    judge,
    count() AS answers,
    sum(tokens_in) AS input_tokens,
    sum(tokens_out) AS output_tokens,
    round(sumOrNull(cost), 6) AS usd,
    round(quantileExactOrNull(0.5)(latency)) AS latency_ms_median
FROM judgments_first
ARRAY JOIN
    opinions.judge AS judge,
    opinions.input_tokens AS tokens_in,
    opinions.output_tokens AS tokens_out,
    opinions.cost_usd AS cost,
    opinions.latency_ms AS latency
WHERE {workload:String} IN ('', workload_id)
GROUP BY judge
ORDER BY answers DESC, judge
