-- title: What share of its input does each stage pass on?
-- param: workload String = '' (only this workload; empty for all)
-- Shares of ids, by lineage: an input is passed on if an output names it among its sources.
WITH
    passed AS (
        SELECT 'verify' AS stage, arrayJoin(source_ids) AS id FROM verifications_first
        UNION ALL SELECT 'pair', arrayJoin(source_ids) FROM comparisons_first
        UNION ALL SELECT 'judge', arrayJoin(source_ids) FROM judgments_first
        UNION ALL SELECT 'filter', arrayJoin(source_ids) FROM preferences_first
    ),
    inputs AS (
        SELECT 1 AS step, 'verify' AS stage, event_id AS id, workload_id FROM samples_first
        UNION ALL SELECT 2, 'pair', event_id, workload_id FROM verifications_first
        UNION ALL SELECT 3, 'judge', event_id, workload_id FROM comparisons_first
        UNION ALL SELECT 4, 'filter', event_id, workload_id FROM judgments_first
    )
SELECT
    stage,
    count() AS inputs,
    countIf((stage, id) IN (SELECT stage, id FROM passed)) AS passed_on,
    round(100 * passed_on / inputs, 1) AS passed_on_percent
FROM inputs
WHERE {workload:String} IN ('', workload_id)
GROUP BY step, stage
ORDER BY step
