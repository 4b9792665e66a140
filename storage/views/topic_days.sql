-- Stories and items of each topic on each local day, newest day first; days without any are absent. weight counts a
-- story's retellings a little (at most 1.2 a story); share is the topic's part of all stories of that day.
SELECT day, topic, stories, items, weight, feeds, all_stories, round(1.0 * stories / nullif(all_stories, 0), 4) AS share
FROM (
  SELECT c.day, c.topic, sum(c.stories) AS stories, sum(c.items) AS items, round(sum(c.weight), 2) AS weight,
         count(*) AS feeds, (SELECT sum(d.stories) FROM feed_days d WHERE d.day = c.day) AS all_stories
  FROM topic_counts c
  GROUP BY c.topic, c.day)
ORDER BY day DESC, topic
