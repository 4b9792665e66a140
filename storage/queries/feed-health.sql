-- Which feeds are in trouble, since when, and why?
SELECT name, state, since, trouble, error, failures, last_ok, last_news, next_poll, waits_for, moved_to FROM feed_health
