"""The warehouse of a coffee and tea shop, in a DuckDB file as dbt would build it; always the same rows.

SQL computes all values from a customer's number with explicit integer arithmetic, so that rows do not depend
on the machine, DuckDB's version or the clock. People, e-mails (example.com, .org, .net) and phones (555
numbers; the London numbers that Ofcom reserves for drama) are invented.

The schema `main` has two tables. `customers` is as untidy as real data: e-mails with blanks, in mixed case,
missing or malformed; phones in several spellings, malformed, or shared by a household; duplicate rows; one
e-mail on two accounts; people without an account, a few of them with the phone of an account's owner.
Its `lifetime_value`, `orders`, `last_order_on` and `favourite_category` are computed from the table `orders`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from reverse_etl.errors import WarehouseError

if TYPE_CHECKING:
    from pathlib import Path

# Each name with its spelling in an e-mail address.
FIRST_NAMES: Final = """
Ann:ann, Ben:ben, Zoë:zoe, Łukasz:lukasz, Chloé:chloe, Jürgen:juergen, Мария:maria,
Дмитрий:dmitri, Σοφία:sofia, Γιώργος:giorgos, 美咲:misaki, 健太:kenta, 小明:xiaoming, 지민:jimin,
محمد:mohammed, فاطمة:fatima, נועה:noa, आरव:aarav, প্রিয়া:priya, สมชาย:somchai,
Nguyệt:nguyet, Björk:bjork, Siân:sian, María José:mariajose, Jean-Luc:jeanluc, İpek:ipek,
Ọláolú:olaolu, Ann 🌻:ann.sun, ☕ Tom:tom, Robert "Bob":bob, grace:grace, IVAN:ivan
"""
LAST_NAMES: Final = """
Smith:smith, O'Brien:obrien, D'Angelo:dangelo, Müller-Lüdenscheidt:mueller, van der
Berg:vdberg, Åström:astrom, Kowalczyk:kowalczyk, Иванова:ivanova,
Παπαδόπουλος:papadopoulos, 佐藤:sato, 王:wang, 김:kim, الهاشمي:alhashimi, כהן:cohen,
शर्मा:sharma, García Márquez:garcia, Nguyễn:nguyen, Ó Súilleabháin:osullivan,
Þórsdóttir:thorsdottir, de Souza:souza, St. John:stjohn, Okonkwo:okonkwo, Öztürk:ozturk
"""
# Each city with its country.
CITIES: Final = """
London:United Kingdom, Edinburgh:United Kingdom, San Francisco:United States,
Portland:United States, Zürich:Switzerland, Kraków:Poland, São Paulo:Brazil, 東京:Japan,
서울:South Korea, Αθήνα:Greece, München:Germany, Orléans:France, Reykjavík:Iceland,
İzmir:Türkiye, मुंबई:India, القاهرة:Egypt, Łódź:Poland
"""

CUSTOMERS: Final = 50_000  # who bought or signed up before day 1

# A 32-bit mixer like the last step of MurmurHash3; DuckDB's hash() may change between versions.
_RANDOM_MACROS_SQL: Final = """
create macro start(n, salt) as (n * 1597334677 + salt::bigint * 2028178513 + 374761393) % 4294967296;
create macro mix(x, shift, factor) as (xor(x, x >> shift) * factor) % 4294967296;
create macro draw(n, salt, sides) as
    mix(mix(mix(start(n, salt), 16, 1540483477), 13, 2057660809), 16, 1) % sides;
"""

# One row per person who ever bought or signed up. The rare kinds of people have different remainders of
# their number modulo 25, so that no person is of two kinds and the size of each kind is known.
_PEOPLE: Final = """
create table people as
with numbered as (
    select n, n - if(n % 400 = 19, 1, 0) as owner, n % 400 = 7 as till,
        n % 125 = 3 and n <= $customers as guest, if(n > $customers, -1, draw(n, 1, 1400)) as days_known
    from range(1, $customers + 1 + if($day > 1, 400, 0)) numbers(n)
)
select n, owner, till, guest, till or guest as without_account,
    f.word as first_name, l.word as last_name,
    if($day > 1 and draw(n, 31, 1000) < 8, draw(n, 32, $cities), draw(n, 10, $cities)) as city,
    f.partner || '.' || l.partner || owner as mailbox,
    ['example.com', 'example.org', 'example.net'][
        1 + (draw(owner, 11, 3) + if($day > 1 and draw(n, 33, 1000) < 4, 1, 0)) % 3] as domain,
    days_known,
    date '2026-05-31' - days_known::integer as joined_on,
    days_known * if(draw(n, 12, 100) < 55, 100, draw(n, 13, 100)) // 100 as days_active,
    case
        when $day > 1 and draw(n, 34, 1000) < 8 then false
        when $day > 1 and draw(n, 34, 1000) < 14 then true
        when draw(n, 14, 100) < 52 then true
        when draw(n, 14, 100) < 90 then false
    end as accepts_marketing,
    $day > 1 and draw(n, 35, 1000) < 12 as gone
from numbered
join first_names f on f.place = draw(owner, 15, $first_names)
join last_names l on l.place = draw(owner, 16, $last_names)
"""

# Many people order once or twice, few up to fifteen times. On day 2, 1.2 % of them place another order.
_SALES: Final = """
create table sales as
with placed as (
    select n, n * 32 + i as id,
        joined_on + draw(n * 32 + i, 20, greatest(days_active, 0) + 1)::integer as ordered_on
    from people, range(0, 15) orders(i)
    where i <= case
        when days_known < 0 then draw(n, 21, 2) - 1
        when draw(n, 21, 1000) < 80 then -1
        else draw(n, 21, 1000) * draw(n, 21, 1000) * draw(n, 21, 1000) * 14 // 1000000000 end
    union all
    select n, n * 32 + 31, date '2026-06-01' from people
    where $day > 1 and days_known >= 0 and draw(n, 22, 1000) < 12
)
select n, id, ordered_on,
    case
        when draw(id, 23, 100) < 55 then ['coffee', 'coffee', 'tea', 'chocolate', 'cups'][1 + draw(n, 24, 5)]
        else ['coffee', 'tea', 'chocolate', 'cups'][1 + draw(id, 25, 4)]
    end as category,
    (490 + draw(id, 26, 1000) * draw(id, 26, 1000) * 13 // 1000)::decimal(8, 0) * 0.01 as amount,
    if(draw(id, 27, 100) < 4, 'returned', 'shipped') as status
from placed
"""

_ORDERS: Final = """
create table shop.main.orders as
select id::bigint as order_id, if(without_account, null, 100000 + n)::bigint as customer_id, ordered_on,
    category, amount::decimal(10, 2) as amount, status
from sales join people using (n)
order by order_id
"""

_CUSTOMERS: Final = """
create table shop.main.customers as
with totals as (
    select n, count(*) as orders, max(ordered_on) as last_order_on,
        sum(amount) filter (status = 'shipped') as spent
    from sales group by n
), favourites as (
    select n, category from sales group by n, category
    qualify row_number() over (partition by n order by sum(amount) desc, category) = 1
), addressed as (
    select *, mailbox || '@' || domain as address, lpad((n // 5 * 7919 % 10000)::varchar, 4, '0') as number,
        lpad(((n + 3) // 5 * 7919 % 10000)::varchar, 4, '0') as neighbours_number
    from people where not gone
)
select if(without_account, null, 100000 + n)::bigint as customer_id,
    case
        when till or n % 100 = 13 then null
        when n % 1000 = 29 then if(n % 2000 = 29, '', '   ')
        when n % 250 = 11 and not ($day > 1 and n % 1000 = 11) then [
            replace(address, '@', ' at '), replace(address, '@', '@@'), mailbox || '@', mailbox || '@example',
            '@' || domain || n, mailbox || ' @' || domain, replace(address, '@', ''), 'no e-mail ' || n
        ][1 + n // 250 % 8]
        when n % 14 = 2 then upper(address)
        when n % 7 = 4 then upper(address[1]) || address[2:]
        when n % 11 = 5 then '  ' || address
        when n % 11 = 8 then address || ' '
        else address
    end as email,
    case
        when till and n // 400 < 100 then '+44 20 7946 00' || lpad((n // 400)::varchar, 2, '0')
        when till and n // 400 < 110 then '+1 415 555 ' || neighbours_number
        when till or n > $customers then null
        when n % 625 = 0 then ['555-' || number, '(415) 555-' || number, 'call me', 'n/a'][1 + n // 625 % 4]
        when n % 5 > 1 or (n % 5 = 1 and draw(n, 40, 100) >= 6) then null
        when n % 3 = 0 then '+1 415 555 ' || number
        when n % 3 = 1 then '+1415555' || number
        else '+1 (415) 555-' || number
    end as phone,
    if(draw(n, 41, 100) < 3, null, first_name) as first_name,
    if(draw(n, 42, 100) < 4, null, last_name) as last_name,
    if(draw(n, 43, 100) < 9, null, c.word) as city,
    if(draw(n, 43, 100) < 5, null, c.partner) as country,
    joined_on + to_minutes(draw(n, 44, 1440)) + to_seconds(draw(n, 45, 60)) as signed_up_at,
    coalesce(spent, 0)::decimal(12, 2) as lifetime_value,
    coalesce(orders, 0)::integer as orders,
    last_order_on,
    category as favourite_category,
    accepts_marketing,
    case
        when spent >= 500 then 'gold' when spent >= 150 then 'silver' when orders > 0 then 'bronze'
    end as loyalty_tier
from addressed
join cities c on c.place = city
join (values (0), (1)) copies(copy) on copy = 0 or n % 500 = 17
left join totals using (n)
left join favourites using (n)
order by n, copy
"""


def build_warehouse(path: Path, day: int) -> None:
    """Write the shop's warehouse on the morning of `day` to the DuckDB file `path`, replacing the file.

    Day 1 is 1 June 2026, before opening: the newest order is of 31 May. By day 2 there are a day's orders and
    400 new people, and about one in 25 of the others has changed: an order, a move, another e-mail, consent
    given or withdrawn, a corrected e-mail, a closed account. All later days are like day 2.

    The file is replaced atomically. Raises WarehouseError if it cannot be written, ValueError for a day
    before the first.
    """
    if day < 1:
        raise ValueError(f"the first day is 1, not {day}")
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        _write_tables(draft, day)
        draft.replace(path)
    except (OSError, duckdb.IOException) as error:
        raise WarehouseError.of(
            f"The shop's warehouse could not be written: {error}",
            where=str(path),
            hint="Choose an existing folder with write permission.",
        ) from error


def _write_tables(path: Path, day: int) -> None:
    parameters = {"day": day, "customers": CUSTOMERS}
    with duckdb.connect() as connection:
        connection.execute("attach '{}' as shop".format(str(path).replace("'", "''")))
        connection.execute(_RANDOM_MACROS_SQL)
        for name, text in (("first_names", FIRST_NAMES), ("last_names", LAST_NAMES), ("cities", CITIES)):
            pairs = _parse_pairs(text)
            connection.execute(f"create table {name} (place bigint, word varchar, partner varchar)")
            connection.executemany(f"insert into {name} values (?, ?, ?)", pairs)
            parameters[name] = len(pairs)
        for statement in (_PEOPLE, _SALES, _ORDERS, _CUSTOMERS):
            used = {name: figure for name, figure in parameters.items() if f"${name}" in statement}
            connection.execute(statement, used)


def _parse_pairs(text: str) -> list[tuple[int, str, str]]:
    pairs = (" ".join(pair.split()).partition(":") for pair in text.split(","))
    return [(index, word, partner) for index, (word, _, partner) in enumerate(pairs)]
