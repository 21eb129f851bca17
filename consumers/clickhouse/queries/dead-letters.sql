-- title: What could not be processed, and why?
-- param: stage String = '' (only this stage; empty for all)
SELECT
    stage,
    source_topic,
    error_class,
    retryable,
    count() AS dead_letters,
    max(occurred_at) AS latest,
    any(substring(message, 1, 160)) AS an_example
FROM dead_letters_first
WHERE {stage:String} IN ('', stage)
GROUP BY stage, source_topic, error_class, retryable
ORDER BY dead_letters DESC, stage, source_topic
