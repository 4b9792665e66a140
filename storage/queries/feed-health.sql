-- Which feeds fail, and why?
SELECT name, state, status, last_ok, failures, error, next_poll FROM feed_health
