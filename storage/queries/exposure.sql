-- Which feeds were covered on which days, and how many polls failed?
-- :days = 7  how far back
SELECT day, feed, hours, polls, failures, stories, items FROM exposure_days
WHERE day > date('now', '-' || :days || ' days')
