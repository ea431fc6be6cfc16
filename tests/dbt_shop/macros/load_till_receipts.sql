{# What another program would have loaded: the source `till`. #}
{% macro load_till_receipts() %}
    create schema if not exists till_data;
    create or replace table till_data.receipts as
    select * from (values
        (1, 'ann@example.com', 4.20, date '2026-05-01'),
        (2, 'ann@example.com', 3.80, date '2026-05-03'),
        (3, 'ANN@example.com ', 4.20, date '2026-05-09'),
        (4, 'ben@example.org', 12.50, date '2026-05-02'),
        (5, 'zoe@example.net', 7.00, date '2026-05-02'),
        (6, 'zoe@example.net', 7.00, date '2026-05-05'),
        (7, 'zoe@example.net', 7.00, date '2026-05-08'),
        (8, 'zoe@example.net', 6.50, date '2026-05-11'),
        (9, null, 2.10, date '2026-05-11')
    ) receipts(receipt_id, email, amount, paid_on)
{% endmacro %}
