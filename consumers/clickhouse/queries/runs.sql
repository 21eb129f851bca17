-- title: How far did trainings come, and which gates stopped them?
-- param: workload String = '' (only this workload; empty for all)
-- What a trainer decided between trainings is in `trainer`.
SELECT
    run_id,
    min(occurred_at) AS began,
    anyLast(algorithm) AS algorithm,
    argMax(status, (occurred_at, kafka_offset)) AS last_status,
    any(ungated) AS is_ungated,
    arrayDistinct(arrayFlatten(groupArray(arrayFilter(
        (name, verdict) -> verdict != 'PASS', gates.name, gates.verdict
    )))) AS gates_not_passed,
    maxOrNullIf(metrics_before['accuracy'], mapContains(metrics_before, 'accuracy')) AS before,
    maxOrNullIf(metrics_after['accuracy'], mapContains(metrics_after, 'accuracy')) AS after,
    argMaxIf(checkpoint, occurred_at, checkpoint != '') AS written,
    any(trial) AS is_trial
FROM runs_first
WHERE {workload:String} IN ('', workload_id)
    AND status NOT IN ('REQUESTED', 'TRIGGERED', 'WAITED', 'LEADING')
GROUP BY run_id
ORDER BY began DESC, run_id
