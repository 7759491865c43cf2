-- The features of features.toml by hand: a row a customer and month's end, in the fastest form that was found. It may
-- use what the simulated book's README promises, which bellwether does not know: one row of use an account and day
-- without nulls, whole numbers, and at most 24 features of the product, so that a mask of bits counts distinct ones.
--
-- The windows' ends cut the calendar into spans. A day's row goes into its span once, and a window is put together from
-- spans, of which there are some six times fewer than days of use. 64-bit whole numbers are summed as 128, hence the
-- casts. Seconds and CPU seconds at 10,000 accounts, 2 threads, DuckDB 2.0.0, the least of several runs of each on a
-- busy machine (the last two ran once):
--
--   3.0   2.5   spans, with 32-bit numbers (this query; 1.7 where the machine was idle)
--   3.9   2.7   spans, with the numbers as the file has them
--   4.0   2.9   use joined with a calendar to each of its months' ends, filtered aggregates, 32-bit numbers, mask
--   4.7   3.5   the same with the numbers as the file has them
--   5.6   3.6   spans, and the distinct features by a group of their own
--   5.8   4.0   customers joined with use on account and a range of days
--   6.3   4.1   the calendar, and the distinct features by a group of their own
--  19.1  10.4   the calendar with count(DISTINCT)
--  42.7     -   window functions (RANGE BETWEEN ...) over use and months' ends together, kept at the latter
--  68.0     -   the calendar with count(DISTINCT) and DuckDB's own choice of joins as of a day (duckdb_features.py)
WITH as_of_days AS (
    SELECT last_day(month)::DATE AS as_of
    FROM (SELECT unnest(generate_series(DATE '2023-03-01', DATE '2024-12-01', INTERVAL 1 MONTH)) AS month)
),
customers AS (
    SELECT
        account_id,
        as_of,
        max_by(seats, start_date) AS seats,
        max_by(mrr, start_date) AS mrr,
        max_by(plan, start_date) AS plan,
        max_by(renews_on, start_date) AS renews_on,
        any_value(segment) AS segment,
        any_value(as_of - signup_date) AS tenure_days
    FROM 'subscriptions.parquet'
    JOIN 'accounts.parquet' USING (account_id)
    JOIN as_of_days ON start_date <= as_of AND (end_date IS NULL OR end_date > as_of) AND signup_date <= as_of
    GROUP BY ALL
),
days_within_90 AS (
    SELECT as_of, unnest(generate_series(as_of - 89, as_of, INTERVAL 1 DAY))::DATE AS date
    FROM as_of_days
),
-- Windows of 7, 30 and 90 days, and the 30 days before the last 30.
span_ends AS (
    SELECT DISTINCT as_of - days AS until
    FROM as_of_days, (SELECT unnest([0, 7, 30, 60, 90]) AS days)
),
spans AS (
    SELECT lag(until, 1, DATE '2022-12-31') OVER (ORDER BY until) AS after, until
    FROM span_ends
    WHERE until > DATE '2022-12-31'
),
span_of_day AS (
    SELECT until, unnest(generate_series(after + 1, until, INTERVAL 1 DAY))::DATE AS date
    FROM spans
),
daily_use AS (
    SELECT
        account_id,
        date,
        logins::INTEGER AS logins,
        active_users::INTEGER AS active_users,
        sessions_minutes,
        features_used::INTEGER AS features_used,
        errors::INTEGER AS errors,
        (date - DATE '2023-01-01')::INTEGER AS day
    FROM 'usage.parquet'
),
use_of_span AS (
    SELECT
        account_id,
        until,
        count(*) AS days,
        min(date) AS first_date,
        max(date) AS last_date,
        sum(logins) AS logins,
        sum(logins::BIGINT * logins) AS logins_squared,
        sum(day) AS day,
        sum(day * day) AS day_squared,
        sum(day * logins) AS day_times_logins,
        sum(sessions_minutes) AS minutes,
        max(sessions_minutes) AS minutes_max,
        min(active_users) AS active_users_min,
        max(active_users) AS active_users_max,
        bit_or(1 << features_used) AS features_used_mask,
        min_by(features_used, date) AS features_used_first,
        sum(errors) AS errors
    FROM daily_use
    JOIN span_of_day USING (date)
    GROUP BY ALL
),
use_of_windows AS (
    SELECT
        account_id,
        as_of,
        sum(logins) FILTER (age < 7) AS logins_7d,
        sum(logins) FILTER (age < 30) AS logins_30d,
        sum(logins) FILTER (age >= 30 AND age < 60) AS logins_30d_before,
        sum(logins) AS logins_90d,
        sum(logins_squared) FILTER (age < 30) AS logins_squared_30d,
        sum(day) AS day_90d,
        sum(day_squared) AS day_squared_90d,
        sum(day_times_logins) AS day_times_logins_90d,
        sum(minutes) FILTER (age < 30) / sum(days) FILTER (age < 30) AS minutes_mean_30d,
        sum(minutes) FILTER (age >= 30 AND age < 60)
            / sum(days) FILTER (age >= 30 AND age < 60) AS minutes_mean_30d_before,
        max(minutes_max) AS minutes_max_90d,
        min(active_users_min) FILTER (age < 7) AS active_users_min_7d,
        max(active_users_max) FILTER (age < 30) AS active_users_max_30d,
        bit_count(bit_or(features_used_mask) FILTER (age < 30)) AS features_used_distinct_30d,
        min_by(features_used_first, first_date) FILTER (age < 30) AS features_used_first_30d,
        sum(days) FILTER (age < 30) AS days_30d,
        sum(days) AS days_90d,
        sum(errors) AS errors_90d
    FROM (
        SELECT use_of_span.*, as_of, as_of - until AS age
        FROM use_of_span
        JOIN days_within_90 ON until = date
    )
    GROUP BY ALL
),
latest_use AS (
    SELECT account_id, max(last_date) AS date
    FROM use_of_span
    GROUP BY account_id, last_day(until)
),
tickets AS (
    SELECT
        account_id,
        as_of,
        count(*) FILTER (event = 'opened') AS tickets_90d,
        count(*) FILTER (event = 'opened' AND severity >= 3) AS severe_tickets_90d,
        avg(resolution_hours) AS resolution_hours_90d
    FROM 'ticket_events.parquet'
    JOIN days_within_90 USING (date)
    GROUP BY ALL
),
payments AS (
    SELECT account_id, as_of, avg(days_late) AS days_late_mean_90d
    FROM 'invoice_events.parquet'
    JOIN days_within_90 USING (date)
    WHERE days_late IS NOT NULL
    GROUP BY ALL
),
nps AS (
    SELECT account_id, date, max(score) AS score
    FROM 'surveys.parquet'
    WHERE kind = 'nps' AND score IS NOT NULL
    GROUP BY ALL
),
paid AS (
    SELECT account_id, date, max(days_late) AS days_late
    FROM 'invoice_events.parquet'
    WHERE days_late IS NOT NULL
    GROUP BY ALL
)
SELECT
    customers.account_id,
    customers.as_of,
    seats::FLOAT AS seats,
    mrr::FLOAT AS mrr,
    plan,
    (mrr / nullif(seats, 0))::FLOAT AS price_per_seat,
    (renews_on - as_of)::FLOAT AS days_until_renewal,
    segment,
    tenure_days::FLOAT AS tenure_days,
    coalesce(logins_7d, 0)::FLOAT AS logins_7d,
    coalesce(logins_90d, 0)::FLOAT AS logins_90d,
    (coalesce(logins_30d, 0) / nullif(seats, 0))::FLOAT AS logins_per_seat_30d,
    (coalesce(logins_30d, 0) / nullif(logins_30d_before, 0))::FLOAT AS logins_change_30d,
    (
        (days_90d * day_times_logins_90d - day_90d * logins_90d)
        / nullif(days_90d * day_squared_90d - day_90d * day_90d, 0)
    )::FLOAT AS logins_slope_90d,
    CASE
        WHEN days_30d > 1 THEN sqrt((days_30d * logins_squared_30d - logins_30d * logins_30d) / days_30d / days_30d)
    END::FLOAT AS logins_std_30d,
    minutes_mean_30d::FLOAT AS minutes_mean_30d,
    (minutes_mean_30d - minutes_mean_30d_before)::FLOAT AS minutes_change_30d,
    minutes_max_90d::FLOAT AS minutes_max_90d,
    active_users_min_7d::FLOAT AS active_users_min_7d,
    (active_users_max_30d / nullif(seats, 0))::FLOAT AS peak_users_per_seat_30d,
    coalesce(features_used_distinct_30d, 0)::FLOAT AS features_used_distinct_30d,
    features_used_first_30d::FLOAT AS features_used_first_30d,
    coalesce(days_30d, 0)::FLOAT AS days_active_30d,
    (coalesce(days_90d, 0) / 90)::FLOAT AS share_of_days_active_90d,
    (as_of - latest_use.date)::FLOAT AS days_since_activity,
    (coalesce(errors_90d, 0) / nullif(logins_90d, 0))::FLOAT AS errors_per_login_90d,
    coalesce(tickets_90d, 0)::FLOAT AS tickets_90d,
    coalesce(severe_tickets_90d, 0)::FLOAT AS severe_tickets_90d,
    resolution_hours_90d::FLOAT AS resolution_hours_90d,
    nps.score::FLOAT AS nps_last,
    paid.days_late::FLOAT AS days_late_last,
    days_late_mean_90d::FLOAT AS days_late_mean_90d
FROM customers
LEFT JOIN use_of_windows USING (account_id, as_of)
LEFT JOIN tickets USING (account_id, as_of)
LEFT JOIN payments USING (account_id, as_of)
ASOF LEFT JOIN latest_use ON customers.account_id = latest_use.account_id AND as_of >= latest_use.date
ASOF LEFT JOIN nps ON customers.account_id = nps.account_id AND as_of >= nps.date
ASOF LEFT JOIN paid ON customers.account_id = paid.account_id AND as_of >= paid.date
