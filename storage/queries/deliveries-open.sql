-- Which messages have not arrived?
SELECT headline, channel, state, attempts, next_try, error FROM deliveries_open
