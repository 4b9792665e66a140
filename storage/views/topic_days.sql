-- Stories and items of each topic on each UTC day, newest day first; days without any are absent.
SELECT day, topic, sum(stories) AS stories, sum(items) AS items, count(*) AS feeds
FROM topic_counts
GROUP BY topic, day
ORDER BY day DESC, topic
