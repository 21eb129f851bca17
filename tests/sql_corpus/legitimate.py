"""What analysts write: all of it must be let through, and run."""

DUCKDB: dict[str, list[str]] = {
    "plain": [
        "SELECT * FROM v_revenue_daily",
        "SELECT region, amount FROM v_revenue_daily;",
        "select Region, AMOUNT from V_REVENUE_DAILY where Amount > 10 order by 2 desc limit 5",
        "SELECT DISTINCT region FROM v_revenue_daily",
        "SELECT d.* FROM v_revenue_daily AS d",
        "SELECT count(*) FROM v_revenue_daily",
        "SELECT count(1), sum(1) FROM v_revenue_daily",
        "FROM v_revenue_daily",
        "FROM v_revenue_daily SELECT region, sum(amount) GROUP BY region",
        "TABLE v_revenue_daily",
        "(SELECT region FROM v_revenue_daily)",
        "SELECT main.v_revenue_daily.region FROM main.v_revenue_daily",
        'SELECT region AS "Région (all)", amount AS "select" FROM v_revenue_daily',
        'SELECT "region", "AMOUNT" FROM "v_revenue_daily"',
        "SELECT region FROM v_revenue_daily WHERE region = 'Öst' OR note = 'it''s; -- fine'",
        "SELECT region FROM v_revenue_daily WHERE note <> '日本語 👩‍👩‍👧 /* no comment */'",
        "SELECT region /* the region */, amount -- and what it sold\nFROM v_revenue_daily",
        "-- revenue by region\nSELECT region, sum(amount) FROM v_revenue_daily GROUP BY 1",
        "SELECT region FROM v_revenue_daily LIMIT 10 OFFSET 5",
        "SELECT * EXCLUDE (note, id) FROM v_revenue_daily",
        "SELECT * REPLACE (round(amount, 1) AS amount) FROM v_revenue_daily",
        "SELECT * RENAME (amount AS revenue) FROM v_revenue_daily",
        "SELECT name, 'EUR' AS currency, 2024 AS year FROM v_revenue_customers",
        "SELECT v_revenue_daily.region FROM v_revenue_daily AS v_revenue_daily",
        "SELECT -amount, +units, NOT (units > 3), amount IS NULL FROM v_revenue_daily",
    ],
    "conditions": [
        "SELECT id FROM v_revenue_daily WHERE amount BETWEEN 10 AND 20 AND region IN ('north')",
        "SELECT id FROM v_revenue_daily WHERE note IS NULL OR note LIKE 'note 1%'",
        "SELECT id FROM v_revenue_daily WHERE note ILIKE '%5' AND NOT note SIMILAR TO 'x.*'",
        "SELECT id FROM v_revenue_daily WHERE (region, units) IN (SELECT region, max(units) FROM "
        "v_revenue_daily GROUP BY region)",
        "SELECT id FROM v_revenue_daily WHERE amount > ALL (SELECT 1)",
        "SELECT id FROM v_revenue_daily WHERE region = ANY (SELECT region FROM "
        "v_revenue_customers)",
        "SELECT id FROM v_revenue_daily WHERE note IS DISTINCT FROM 'note 3'",
        "SELECT id FROM v_revenue_daily WHERE regexp_matches(product, '^p[12]$')",
        "SELECT CASE WHEN count(*) > 10 THEN 'many' ELSE 'few' END FROM v_revenue_daily",
        "SELECT count(*) > 10 FROM v_revenue_daily",
        "SELECT EXISTS (SELECT 1 FROM v_revenue_daily WHERE amount > 1000)",
        "SELECT CASE region WHEN 'north' THEN 'N' WHEN 'south' THEN 'S' END, sum(amount) "
        "FROM v_revenue_daily GROUP BY ALL",
        "SELECT coalesce(note, 'none'), nullif(units, 0) FROM v_revenue_daily",
        "SELECT id FROM v_revenue_daily WHERE note NOT LIKE '10!%%' ESCAPE '!'",
    ],
    "joins": [
        "SELECT c.name, sum(d.amount) FROM v_revenue_daily d JOIN v_revenue_customers c ON "
        "c.region = d.region GROUP BY c.name",
        "SELECT name, amount FROM v_revenue_daily LEFT JOIN v_revenue_customers USING (region)",
        "SELECT region, name, amount FROM v_revenue_daily NATURAL JOIN v_revenue_customers",
        "SELECT a.id, b.id FROM v_revenue_daily a, v_revenue_daily b WHERE a.id = b.id + 1",
        "SELECT c.name FROM v_revenue_customers c FULL OUTER JOIN v_revenue_daily d "
        "ON c.customer_id = d.id",
        "SELECT c.name FROM v_revenue_customers c SEMI JOIN v_revenue_daily d "
        "ON c.region = d.region",
        "SELECT c.name FROM v_revenue_customers c ANTI JOIN v_revenue_daily d "
        "ON c.customer_id = d.id",
        "SELECT c.name, d.amount FROM v_revenue_customers c ASOF JOIN v_revenue_daily d ON "
        "c.region = d.region AND c.joined_on <= d.sold_on",
        "SELECT c.name, t.best FROM v_revenue_customers c, LATERAL (SELECT max(amount) AS best "
        "FROM v_revenue_daily d WHERE d.region = c.region) t",
        "SELECT c.name, t.amount FROM v_revenue_customers c CROSS JOIN LATERAL (SELECT amount "
        "FROM v_revenue_daily d WHERE d.region = c.region ORDER BY amount DESC LIMIT 2) t",
        "SELECT j.name FROM (v_revenue_customers c JOIN v_revenue_daily d ON c.region = d.region)"
        " AS j",
        "SELECT r.region, count(d.id) FROM (VALUES ('north'), ('west')) AS r(region) LEFT JOIN "
        "v_revenue_daily d ON d.region = r.region GROUP BY r.region",
    ],
    "subqueries and CTEs": [
        "WITH totals AS (SELECT region, sum(amount) AS total FROM v_revenue_daily GROUP BY "
        "region) SELECT * FROM totals WHERE total > (SELECT avg(total) FROM totals)",
        "WITH a(r, t) AS (SELECT region, amount FROM v_revenue_daily), b AS (SELECT r, max(t) AS "
        "m FROM a GROUP BY r) SELECT a.r, a.t FROM a JOIN b ON a.r = b.r AND a.t = b.m",
        "WITH p AS (SELECT 10 AS least) SELECT id FROM v_revenue_daily, p WHERE amount > p.least",
        "WITH x AS MATERIALIZED (SELECT region FROM v_revenue_daily) SELECT count(*) FROM x",
        "WITH RECURSIVE months(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM months WHERE m < 12) "
        "SELECT m, sum(amount) FROM months LEFT JOIN v_revenue_daily ON month(sold_on) = m "
        "GROUP BY m ORDER BY m",
        "WITH RECURSIVE days AS (SELECT DATE '2024-01-01' AS d UNION ALL SELECT d + INTERVAL 1 "
        "MONTH FROM days WHERE d < DATE '2024-12-01') SELECT d FROM days WHERE d NOT IN "
        "(SELECT date_trunc('month', sold_on) FROM v_revenue_daily)",
        "SELECT region FROM v_revenue_daily d WHERE amount > (SELECT avg(amount) FROM "
        "v_revenue_daily WHERE region = d.region)",
        "SELECT name FROM v_revenue_customers c WHERE NOT EXISTS (SELECT * FROM v_revenue_daily "
        "d WHERE d.region = c.region AND d.amount > 80)",
        "SELECT region, (SELECT count(*) FROM v_revenue_customers c WHERE c.region = d.region) "
        "AS n FROM v_revenue_daily d",
        "SELECT s.r FROM (SELECT region AS r, row_number() OVER () AS n FROM v_revenue_daily) s "
        "WHERE s.n < 4",
        "SELECT * FROM (SELECT max(amount) FROM v_revenue_daily)",
        "SELECT a FROM (SELECT region, amount FROM v_revenue_daily) AS t(r, a)",
        "SELECT x FROM (FROM v_revenue_daily SELECT amount AS x)",
        "SELECT (SELECT max(amount) FROM v_revenue_daily) - (SELECT min(amount) FROM "
        "v_revenue_daily)",
    ],
    "windows": [
        "SELECT region, amount, rank() OVER (PARTITION BY region ORDER BY amount DESC) FROM "
        "v_revenue_daily",
        "SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) "
        "FROM v_revenue_daily",
        "SELECT id, amount - lag(amount, 1, 0) OVER (PARTITION BY region ORDER BY sold_on) "
        "FROM v_revenue_daily",
        "SELECT id, amount FROM v_revenue_daily QUALIFY row_number() OVER (PARTITION BY region "
        "ORDER BY amount DESC) <= 2",
        "SELECT id, avg(amount) OVER w, max(amount) OVER w FROM v_revenue_daily WINDOW w AS "
        "(PARTITION BY region ORDER BY id)",
        "SELECT id, first_value(amount) OVER (ORDER BY id), ntile(4) OVER (ORDER BY amount) "
        "FROM v_revenue_daily",
        "SELECT region, 100.0 * sum(amount) / sum(sum(amount)) OVER () FROM v_revenue_daily "
        "GROUP BY region",
        "SELECT id, percent_rank() OVER (ORDER BY amount), cume_dist() OVER (ORDER BY amount) "
        "FROM v_revenue_daily",
        "SELECT id, last_value(note IGNORE NULLS) OVER (ORDER BY id) FROM v_revenue_daily",
        "SELECT id, amount AS a, a * 2 AS b, b + 1 FROM v_revenue_daily WHERE b > 4",
        "SELECT region, rank() OVER (ORDER BY sum(amount) DESC) AS place FROM v_revenue_daily "
        "GROUP BY region QUALIFY place = 1",
    ],
    "aggregates": [
        "SELECT region, count(*) AS n FROM v_revenue_daily GROUP BY region HAVING n > 5 "
        "ORDER BY n DESC",
        "SELECT region, product, sum(amount) FROM v_revenue_daily GROUP BY ROLLUP (region, "
        "product)",
        "SELECT region, product, sum(amount), grouping(region) FROM v_revenue_daily "
        "GROUP BY CUBE (region, product)",
        "SELECT region, product, sum(amount) FROM v_revenue_daily GROUP BY GROUPING SETS "
        "((region), (product), ())",
        "SELECT count(DISTINCT region), count(note) FROM v_revenue_daily",
        "SELECT sum(amount) FILTER (WHERE region = 'north'), count(*) FILTER (units > 2) FROM "
        "v_revenue_daily",
        "SELECT sum(CASE WHEN region = 'north' THEN amount ELSE 0 END) AS north, "
        "sum(CASE WHEN region = 'south' THEN amount ELSE 0 END) AS south FROM v_revenue_daily",
        "SELECT median(amount), quantile_cont(amount, 0.9), stddev(amount), mode(region) FROM "
        "v_revenue_daily",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM v_revenue_daily",
        "SELECT arg_max(id, amount), max_by(region, amount) FROM v_revenue_daily",
        "SELECT string_agg(DISTINCT region, ', ' ORDER BY region) FROM v_revenue_daily",
        "SELECT region, any_value(product), bool_or(units > 5) FROM v_revenue_daily GROUP BY 1",
        "SELECT DISTINCT ON (region) region, amount FROM v_revenue_daily ORDER BY region, amount",
        "SELECT count_if(amount > 10), corr(amount, units) FROM v_revenue_daily",
        "SELECT region, sum(amount) FROM v_revenue_daily GROUP BY ALL ORDER BY ALL",
        "SELECT round(avg(amount), 2), max(units) - min(units) FROM v_revenue_daily",
    ],
    "dates and texts": [
        "SELECT date_trunc('month', sold_on) AS m, sum(amount) FROM v_revenue_daily GROUP BY m "
        "ORDER BY m",
        "SELECT year(sold_on), quarter(sold_on), dayname(sold_on) FROM v_revenue_daily",
        "SELECT extract(month FROM sold_on), date_part('dow', sold_on) FROM v_revenue_daily",
        "SELECT strftime(sold_on, '%Y-%m'), last_day(sold_on) FROM v_revenue_daily",
        "SELECT id FROM v_revenue_daily WHERE sold_on >= DATE '2024-02-01' AND sold_on < DATE "
        "'2024-02-01' + INTERVAL 1 MONTH",
        "SELECT date_diff('day', joined_on, DATE '2024-06-30') FROM v_revenue_customers",
        "SELECT sold_on - INTERVAL '7 days', sold_on + 3 FROM v_revenue_daily",
        "SELECT CAST(sold_on AS TIMESTAMP), sold_on::VARCHAR FROM v_revenue_daily",
        "SELECT t.d, sum(amount) FROM generate_series(DATE '2024-01-15', DATE '2024-06-15', "
        "INTERVAL 1 MONTH) AS t(d) LEFT JOIN v_revenue_daily ON sold_on = t.d GROUP BY t.d",
        "SELECT t.d FROM generate_series(DATE '2024-01-01', DATE '2024-01-31', INTERVAL 1 DAY) "
        "AS t(d) WHERE NOT EXISTS (SELECT 1 FROM v_revenue_daily WHERE sold_on = t.d)",
        "SELECT upper(region), length(note), substr(product, 2), left(region, 2) FROM "
        "v_revenue_daily",
        "SELECT region || '/' || product, concat_ws('-', region, product) FROM v_revenue_daily",
        "SELECT replace(note, 'note', 'now'), trim(both ' ' from region) FROM v_revenue_daily",
        "SELECT split_part(note, ' ', 2), regexp_extract(note, '(\\d+)', 1) FROM v_revenue_daily",
        "SELECT name FROM v_revenue_customers WHERE strip_accents(lower(name)) = 'celik'",
        "SELECT try_cast(note AS INTEGER), amount::DECIMAL(10, 2) FROM v_revenue_daily",
        "SELECT name.upper(), position('n' IN name) FROM v_revenue_customers",
        "SELECT format('{:>6} {}', region, amount), lpad FROM (SELECT region, amount, id AS lpad "
        "FROM v_revenue_daily)",
        "SELECT note FROM v_revenue_daily WHERE note = $$note 1$$",
        "SELECT lpad(units::VARCHAR, 3, '0') || repeat('*', 3) FROM v_revenue_daily",
        "SELECT try(amount / 0), json_object('r', region) FROM v_revenue_daily",
        "SELECT id::UINT8, amount::DECIMAL(12, 2), [id]::BIGINT[] FROM v_revenue_daily",
        "SELECT region, count(*) AS n FROM v_revenue_daily GROUP BY 1 ORDER BY n FETCH FIRST 2 "
        "ROWS ONLY",
    ],
    "lists and structs": [
        "SELECT name, unnest(tags) AS tag FROM v_revenue_customers",
        "SELECT name, t.tag FROM v_revenue_customers, unnest(tags) AS t(tag)",
        "SELECT name, t.tag FROM v_revenue_customers c LEFT JOIN LATERAL unnest(c.tags) AS "
        "t(tag) ON true",
        "SELECT list_reduce(list(units), lambda a, b: a + b), list_reverse(list(id)) FROM "
        "v_revenue_daily",
        "SELECT region, list(product ORDER BY id) FROM v_revenue_daily GROUP BY region",
        "SELECT address.city, address['zip'] FROM v_revenue_customers",
        "SELECT c.address.city FROM v_revenue_customers c",
        "SELECT tags[1], tags[1:1], len(tags) FROM v_revenue_customers",
        "SELECT list_transform(tags, lambda t: upper(t)) FROM v_revenue_customers",
        "SELECT [upper(t) FOR t IN tags IF t <> 'north'] FROM v_revenue_customers",
        "SELECT name FROM v_revenue_customers WHERE list_contains(tags, 'north')",
        "SELECT {'name': name, 'region': region} AS who FROM v_revenue_customers",
        "SELECT MAP {'name': name} FROM v_revenue_customers",
        "SELECT address.* FROM v_revenue_customers",
        "SELECT c FROM v_revenue_customers c",
    ],
    "set operations": [
        "SELECT region FROM v_revenue_daily UNION SELECT region FROM v_revenue_customers "
        "ORDER BY region",
        "SELECT 'daily' AS source, count(*) AS n FROM v_revenue_daily UNION ALL "
        "SELECT 'customers', count(*) FROM v_revenue_customers ORDER BY n DESC LIMIT 2",
        "SELECT region FROM v_revenue_daily INTERSECT SELECT region FROM v_revenue_customers",
        "SELECT region FROM v_revenue_daily EXCEPT SELECT 'north'",
        "(SELECT region FROM v_revenue_daily LIMIT 1) UNION ALL (SELECT name FROM "
        "v_revenue_customers LIMIT 1)",
        "SELECT name, 0 AS n FROM v_revenue_customers UNION ALL SELECT 'all', count(*) FROM "
        "v_revenue_daily",
        "SELECT region, amount FROM v_revenue_daily UNION ALL BY NAME SELECT region FROM "
        "v_revenue_customers",
        "SELECT n FROM (SELECT region AS n FROM v_revenue_daily UNION SELECT name FROM "
        "v_revenue_customers) WHERE n LIKE 'n%'",
    ],
}

SQLITE: dict[str, list[str]] = {
    "plain": [
        "SELECT * FROM v_revenue_daily",
        "SELECT T1.region, T2.name FROM v_revenue_daily AS T1 JOIN v_revenue_customers AS T2 "
        'ON T1.region = T2.region WHERE T2.name = "Ann"',
        'SELECT `region`, [amount], "units" FROM v_revenue_daily',
        "SELECT region FROM v_revenue_daily WHERE region != 'north' AND note IS NOT NULL",
        "SELECT region FROM v_revenue_daily ORDER BY amount DESC LIMIT 5, 10",
        "SELECT count(*), total(amount), group_concat(DISTINCT region) FROM v_revenue_daily",
        "SELECT id AS n FROM v_revenue_daily WHERE n > 3 GROUP BY n",
        "SELECT name COLLATE NOCASE FROM v_revenue_customers ORDER BY 1",
        "SELECT cast(substr(sold_on, 6, 2) AS INTEGER) AS m, sum(amount) FROM v_revenue_daily "
        "GROUP BY m HAVING sum(amount) > 3",
        "SELECT strftime('%Y-%m', sold_on), date(sold_on, 'start of month', '+1 month') FROM "
        "v_revenue_daily",
        "SELECT julianday('2024-07-01') - julianday(joined_on) FROM v_revenue_customers",
        "SELECT iif(units > 3, 'big', 'small'), ifnull(note, '') || region FROM v_revenue_daily",
        "SELECT id FROM v_revenue_daily WHERE id IN (1, 2, 3) EXCEPT SELECT 3",
        "SELECT max(amount, units), min(amount) FROM v_revenue_daily",
        "SELECT region, rank() OVER (PARTITION BY region ORDER BY amount) FROM v_revenue_daily",
        "SELECT sum(amount) FILTER (WHERE units > 2) FROM v_revenue_daily",
        "WITH m(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM m WHERE n < 12) SELECT n, "
        "count(id) FROM m LEFT JOIN v_revenue_daily ON cast(strftime('%m', sold_on) AS INT) = n "
        "GROUP BY n",
        "WITH RECURSIVE d(x) AS (SELECT '2024-01-15' UNION ALL SELECT date(x, '+1 month') FROM d "
        "WHERE x < '2024-06-15') SELECT x FROM d WHERE x NOT IN (SELECT sold_on FROM "
        "v_revenue_daily)",
        "SELECT region FROM v_revenue_daily UNION SELECT region FROM v_revenue_customers "
        "ORDER BY region",
        "SELECT d.region FROM v_revenue_daily d WHERE d.amount = (SELECT max(amount) FROM "
        "v_revenue_daily WHERE region = d.region)",
        "SELECT name FROM v_revenue_customers WHERE name LIKE 'Ç%' -- accents",
        "SELECT (SELECT max(amount) FROM v_revenue_daily) > 10",
        "SELECT x FROM (SELECT amount AS x FROM v_revenue_daily ORDER BY x LIMIT 3) AS s",
    ],
}
