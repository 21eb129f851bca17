-- title: Why did the trainer train, or wait?
-- param: workload String = '' (only this workload; empty for all)
SELECT
    occurred_at AS at,
    epoch,
    status,
    arrayMap(
        (name, value) -> concat(name, ' ', toString(value)), gates.name, gates.value
    ) AS numbers,
    detail
FROM runs_first
WHERE {workload:String} IN ('', workload_id)
    AND status IN ('REQUESTED', 'TRIGGERED', 'WAITED', 'LEADING')
ORDER BY at DESC, status
