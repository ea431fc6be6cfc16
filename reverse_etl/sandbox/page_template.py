"""The HTML of the page at /, as a Jinja template."""

from __future__ import annotations

from typing import Final

TEMPLATE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Klaviyo sandbox {{ account }}</title>
<style>
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --sheet: #ffffff; --ink: #1f2328; --soft: #667079; --line: #e4e2dc;
  --good: #1a7f4b; --busy: #9a6700; --bad: #b3261e; --accent: #2f5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15171a; --sheet: #1d2024; --ink: #e6e6e3; --soft: #9aa3ab; --line: #30343a;
    --good: #57c58a; --busy: #e0b04a; --bad: #ff8a80; --accent: #8fb0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 0 0 10px; }
p { margin: 4px 0 0; color: var(--soft); }
code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.totals { display: grid; gap: 12px; margin: 24px 0; }
.totals { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
.totals div, section { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; }
.totals div { padding: 14px 16px; }
.totals b { display: block; font-size: 24px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.totals span { color: var(--soft); font-size: 13px; }
section { padding: 16px 18px; margin: 0 0 16px; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 500; font-size: 12px; color: var(--soft); padding: 0 14px 6px 0; }
td { padding: 6px 14px 6px 0; border-top: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.t { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; }
td.t code { overflow-wrap: normal; }
.good { color: var(--good); } .busy { color: var(--busy); } .bad { color: var(--bad); }
.bar { height: 6px; min-width: 2px; margin-top: 8px; }
.bar { border-radius: 3px; background: var(--accent); opacity: .75; }
.none { color: var(--soft); margin: 0; }
</style>
</head>
<body>
<main>
<h1>Klaviyo sandbox</h1>
<p>Account <code>{{ account }}</code>, kept in <code>{{ path or 'memory' }}</code>.
A stand-in on this machine: nothing here reaches Klaviyo. As of {{ now }} UTC.</p>

<div class="totals">
<div><b>{{ '{:,}'.format(lists | length) }}</b><span>lists</span></div>
<div><b>{{ '{:,}'.format(lists | sum(attribute='members')) }}</b><span>memberships</span></div>
<div><b>{{ '{:,}'.format(profile_count) }}</b><span>profiles</span></div>
<div><b>{{ '{:,}'.format(requests[0].entry.number if requests else 0) }}</b><span>requests so far</span></div>
</div>

<section>
<h2>Lists</h2>
{% if lists %}
{% set most = lists | map(attribute='members') | max %}
<table>
<tr><th>Name</th><th>Id</th><th style="width: 35%"></th><th class="n">Members</th></tr>
{% for one in lists %}
<tr><td>{{ one.name }}</td><td class="t"><code>{{ one.id }}</code></td>
<td><div class="bar" style="width: {{ (100 * one.members / (most or 1)) | round(1) }}%"></div></td>
<td class="n">{{ '{:,}'.format(one.members) }}</td></tr>
{% endfor %}
</table>
{% else %}<p class="none">No list yet: the first run creates those that its models name.</p>{% endif %}
</section>

{% if faults %}
<section>
<h2>Faults to come</h2>
<table>
<tr><th>Kind</th><th>Method</th><th>Path</th><th class="n">Times left</th></tr>
{% for one in faults %}
<tr><td class="bad">{{ one.fault.kind }}</td><td>{{ one.fault.method }}</td>
<td><code>{{ one.fault.path }}</code></td>
<td class="n">{{ 'until cleared' if one.remaining is none else one.remaining }}</td></tr>
{% endfor %}
</table>
</section>
{% endif %}

<section>
<h2>Newest import jobs</h2>
{% if jobs %}
<table>
<tr><th>Created</th><th>Status</th><th>List</th>
<th class="n">Rows</th><th class="n">Applied</th><th class="n">Failed</th></tr>
{% for one in jobs %}
{% set tone = {'complete': 'good', 'cancelled': 'bad'}.get(one.job.status, 'busy') %}
<tr><td class="t">{{ one.at }}</td><td class="{{ tone }}">{{ one.job.status }}</td>
<td>{{ one.lists or 'none' }}</td>
<td class="n">{{ '{:,}'.format(one.job.total) }}</td><td class="n">{{ '{:,}'.format(one.job.completed) }}</td>
<td class="n {{ 'bad' if one.job.failed }}">{{ '{:,}'.format(one.job.failed) }}</td></tr>
{% endfor %}
</table>
{% else %}<p class="none">No import yet.</p>{% endif %}
</section>

<section>
<h2>Newest profiles</h2>
{% if profiles %}
<table>
<tr><th>E-mail</th><th>Phone</th><th>External id</th><th>Name</th><th>Lists</th></tr>
{% for one in profiles %}
<tr><td>{{ one.person.email or '' }}</td><td class="t">{{ one.person.phone_number or '' }}</td>
<td>{{ one.person.external_id or '' }}</td><td>{{ one.name }}</td><td>{{ one.lists }}</td></tr>
{% endfor %}
</table>
{% else %}<p class="none">No profile yet.</p>{% endif %}
</section>

<section>
<h2>Last requests</h2>
{% if requests %}
<table>
<tr><th>When</th><th>Request</th>
<th class="n">Items</th><th class="n">Bytes</th><th class="n">Answer</th></tr>
{% for one in requests %}
{% set entry = one.entry %}
<tr><td class="t">{{ one.at }}</td>
<td><code>{{ entry.method }} {{ entry.path }}{{ '?' + entry.query[:90] if entry.query }}</code>
{% if entry.fault %}<div class="bad">{{ entry.fault }}</div>{% endif %}</td>
<td class="n">{{ '{:,}'.format(entry.rows) if entry.rows }}</td>
<td class="n">{{ '{:,}'.format(entry.bytes) if entry.bytes }}</td>
{% set tone = 'bad' if entry.status >= 400 or not entry.status else 'good' %}
<td class="n {{ tone }}">{{ entry.status or 'none' }}</td></tr>
{% endfor %}
</table>
{% else %}<p class="none">No request yet.</p>{% endif %}
</section>
</main>
</body>
</html>
"""
