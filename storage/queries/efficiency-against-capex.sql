-- On which days did efficiency news rise while capital spending news fell (seven days against the seven before)?
-- :days = 60  how far back
WITH days AS (
  SELECT day, coalesce(sum(stories) FILTER (WHERE topic = 'efficiency'), 0) AS efficiency,
         coalesce(sum(stories) FILTER (WHERE topic = 'capex'), 0) AS capex
  FROM topic_days WHERE day > date('now', '-' || (:days + 14) || ' days') GROUP BY day),
weeks AS (
  SELECT day, sum(efficiency) OVER this_week AS efficiency, sum(efficiency) OVER week_before AS efficiency_before,
         sum(capex) OVER this_week AS capex, sum(capex) OVER week_before AS capex_before
  FROM (SELECT *, julianday(day) AS n FROM days)
  WINDOW this_week AS (ORDER BY n RANGE BETWEEN 6 PRECEDING AND CURRENT ROW),
         week_before AS (ORDER BY n RANGE BETWEEN 13 PRECEDING AND 7 PRECEDING))
SELECT * FROM weeks
WHERE efficiency > efficiency_before AND capex < capex_before AND day > date('now', '-' || :days || ' days')
ORDER BY day DESC
