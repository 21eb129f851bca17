-- title: Why were events and pairs discarded?
-- param: workload String = '' (only this workload; empty for all)
SELECT
    stage,
    reason,
    count() AS discards,
    round(100 * discards / sum(discards) OVER (PARTITION BY stage), 1) AS percent_of_stage
FROM discards_first
WHERE {workload:String} IN ('', workload_id)
GROUP BY stage, reason
ORDER BY stage, discards DESC, reason
