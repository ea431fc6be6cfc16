"""The HTML of a report's page, as a Jinja template. It asks for nothing from anywhere, and runs no script."""

from __future__ import annotations

from typing import Final

from reverse_etl.report.page_style import STYLE

OPENING: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>{{ r.project }}: run of {{ r.run.started | when }}</title>
<style>
"""

HEAD: Final = """\
</style>
</head>
<body>
<main>
<header>
<p class="over">reverse-etl to Klaviyo
{% if r.sandbox %} <span class="badge">Sandbox: nobody at Klaviyo was reached</span>{% endif %}</p>
<h1>{{ r.project }}: run of {{ r.run.started | when }}</h1>
<dl>
<div><dt>project</dt><dd>{{ r.project }}</dd></div>
<div><dt>target</dt><dd>{{ r.target }}</dd></div>
<div><dt>Klaviyo account</dt><dd>{{ r.account }}</dd></div>
<div><dt>run</dt><dd><code>{{ r.run.run_id }}</code></dd></div>
<div><dt>{{ 'refused' if r.run.state == 'refused' else 'first write' }}</dt>
<dd>{{ r.run.started | when }}</dd></div>
{% if r.run.ended and r.run.state != 'refused' %}
<div><dt>{{ 'settled' if r.run.state == 'recovered' else 'ended' }}</dt>
<dd>{{ r.run.ended | when }}</dd></div>
{% endif %}
{% if lasted %}<div><dt>sending and settling took</dt><dd>{{ lasted }}</dd></div>
{% endif %}
<div class="long"><dt>exit code</dt><dd>{{ meaning }}</dd></div>
</dl>
</header>

<section class="verdict {{ verdict.tone }}">
<div class="said">{{ verdict.said }}</div>
{% if verdict.more %}
<ul>
{% for sentence in verdict.more %}
<li>{{ sentence }}</li>
{% endfor %}
</ul>
{% endif %}
{% if r.later %}
<p class="after">{{ r.later | counted('run has', 'runs have') }} come after this one.</p>
{% endif %}
</section>
"""

LISTS: Final = """
{% if r.lists %}
<section>
<h2>Lists</h2>
<p>A row is one person on one list: who is on three lists counts three times.</p>
<div class="scroll">
<table class="cards lists">
<thead>
<tr><th>list</th><th>how it stands</th>
{% for figure in plan %}<th class="n" title="{{ figure.meaning }}">{{ figure.heading }}</th>
{% endfor %}
{% for figure in ends %}<th class="n{{ ' split' if loop.first }}" title="{{ figure.meaning }}">
{{- figure.heading }}</th>
{% endfor %}
{% if lines %}<th class="split">rows, lately</th>{% endif %}</tr>
</thead>
<tbody>
{% for one in r.lists %}
{% set tone, state = standing(r, one) %}
<tr><td class="name wide">{{ one.place.label }}<small>{{ one.place.model }}</small></td>
<td class="shape wide"><span class="state {{ tone }}">{{ state }}</span><div class="bar">
{%- for part in parts(one) %}<i class="{{ part.kind }}" style="width: {{ part.width }}%"
 title="{{ part.rows | n }} {{ words[part.kind] }}"></i>{% endfor %}</div></td>
{{ numbers(plan, one) }}{{ numbers(ends, one, ' split') -}}
{%- if lines %}
<td class="split wide{{ '' if lines[loop.index0] else ' empty' }}" data-h="rows, lately">
{%- if lines[loop.index0] %}<svg viewBox="0 0 {{ line_width }} {{ line_height }}"
 width="{{ line_width }}" height="{{ line_height }}" role="img" aria-label="rows in the last runs">
<polyline class="line" points="{{ lines[loop.index0] }}"/></svg>{% endif %}</td>
{%- endif %}</tr>
{% endfor %}
</tbody>
{% if r.lists | length > 1 %}
<tfoot><tr><td class="wide">all {{ r.lists | length }}</td><td class="empty"></td>
{{ numbers(plan, r) }}{{ numbers(ends, r, ' split') -}}
{% if lines %}<td class="split empty"></td>{% endif %}</tr></tfoot>
{% endif %}
</table>
</div>
<p class="keys">{% for kind, word in words.items() %}<span><i class="{{ kind }}"></i>{{ word }}</span>
{% endfor %}</p>
<details class="legend"><summary>What the columns mean</summary>
<dl>
{% for figure in plan + ends %}
<div><dt>{{ figure.heading }}:</dt> <dd>{{ figure.meaning }}</dd></div>
{% endfor %}
</dl></details>
</section>
{% endif %}

{% if r.lists | selectattr('reason') | list %}
<section>
<h2>Why lists stopped</h2>
<ul class="plain">
{% for one in r.lists if one.reason %}
<li><b>{{ one.place.label }}</b>: {{ one.reason }}</li>
{% endfor %}
</ul>
</section>
{% endif %}

{% if r.refused %}
<section>
<h2>Why the run was refused</h2>
<ul class="plain">
{% for reason in r.refused %}
<li>{{ reason }}</li>
{% endfor %}
</ul>
</section>
{% endif %}
"""

PROOF: Final = """
{% if r.run.state != 'refused' %}
<section>
<h2>The proof: what {{ 'the sandbox' if r.sandbox else 'Klaviyo' }} said</h2>
{% if r.proofs %}
<p>Applied means: the import is complete, its counts add up and no error names the row; or {{ where }} said
yes to ids that exist. An import is one request and one receipt; removals share a receipt for up to 10,000
rows. Rows that were refused are not in these numbers, but among the rejections.
{% if r.run.state == 'recovered' %}The lists above say what was known when the run ended; this is what is
known since.{% endif %}</p>
<div class="proofs"><span></span><span>list</span><span>for</span><span class="n">receipts</span>
<span class="n">rows</span><span>of them</span></div>
{% for proof in r.proofs %}
<details class="proof"><summary><span class="name">{{ proof.place.label }}</span>
<span>{{ operation(proof) }}</span><span class="n" data-h="receipts">{{ proof.receipts | n }}</span>
<span class="n" data-h="rows">{{ proof.rows.values() | sum | n }}</span>
<span>{% for state, rows in proof.rows.items() %}<span class="state {{ tones[state] }}">
{{- rows | n }} {{ state.replace('_', ' ') }}</span> {% endfor %}</span></summary>
<div class="inner scroll"><table>
<tr><th>job</th><th class="n">rows</th><th>state</th><th>noted</th><th>detail</th></tr>
{% for one in proof.shown %}
<tr><td>{% if one.job %}<code>{{ one.job }}</code>{% else %}none{% endif %}</td>
<td class="n">{{ one.rows | n }}</td>
<td><span class="state {{ tones[one.state] }}">{{ one.state.replace('_', ' ') }}</span></td>
<td class="t">{{ one.at | when }}</td><td>{{ one.detail }}</td></tr>
{% endfor %}
</table>
{% if proof.left_out %}<p class="after">
{{- proof.left_out | counted('more receipt is', 'more receipts are') }} left out here:
the first {{ proof.shown | length }} are shown, those that are not applied before the others.
All are in the table <code>receipts</code> of the state.</p>{% endif %}</div></details>
{% endfor %}
{% else %}<p>No receipt is kept: nothing was sent{{ ', as far as is known' if r.run.exit_code is none }}.</p>
{% endif %}
</section>
{% endif %}

{% if r.rejections or r.sum('rejected', 'rejected_by_checks') %}
<section>
<h2>Rejections by reason</h2>
{% if r.own_rejections %}
<p>Rows that are not sent as they are, as they stand now.</p>
{% elif r.run.state == 'refused' %}
<p>A refused run keeps no rejections: these stand from the runs before it.</p>
{% else %}
<p>These stand now, {{ r.later | counted('run', 'runs') }} later. How they stood when this run ended is not
kept; how many there were is in the table of lists.</p>
{% endif %}
{% if r.rejections %}
<div class="scroll"><table class="cards">
<thead><tr><th>list</th><th>why</th><th class="n">rows</th><th class="n">new in this run</th>
<th>such as</th></tr></thead>
<tbody>
{% for one in r.rejections %}
<tr><td class="name wide"><b>{{ one.place.label }}</b><small>{{ one.place.model }}</small></td>
<td class="wide">{{ told(one.source, one.code, one.field, one.detail) }}
{%- if by_klaviyo(one.source, one.code) %} (<code>reverse-etl retry</code> sends them again){% endif %}</td>
<td class="n" data-h="rows">{{ one.rows | n }}</td>
<td class="n{{ ' look' if one.new else ' none' }}" data-h="new">{{ one.new | n }}</td>
<td class="such wide{{ '' if one.example else ' empty' }}" data-h="such as">
{%- if one.example %}<code>{{ who(one.example) }}</code>{% endif %}</td></tr>
{% endfor %}
</tbody>
</table></div>
{% else %}<p>None of them stands any more.</p>{% endif %}
</section>
{% endif %}

{% if r.gone %}
<section>
<h2>Removals for whom nobody was found</h2>
<p>These rows are no longer wanted, and nobody was found on the list by what they were sent with: others may
have taken them off before.</p>
<div class="scroll"><table class="cards">
<thead><tr><th>list</th><th>who</th><th>noted</th></tr></thead>
<tbody>
{% for one in r.gone %}
<tr><td class="name wide">{{ one.place.label }}<small>{{ one.place.model }}</small></td>
<td class="such wide"><code>{{ who(one.identity) }}</code></td>
<td class="t wide">{{ one.at | when }}</td></tr>
{% endfor %}
</tbody>
</table></div>
{% if r.gone_rows > r.gone | length %}<p class="after">
{{- (r.gone_rows - r.gone | length) | n }} more are left out here; all are
in the table <code>gone</code> of the state.</p>{% endif %}
</section>
{% endif %}
"""

RUNS: Final = """
<section>
<h2>Runs before it</h2>
{% if r.before %}
{% if bars %}
<p>Rows added or updated (up) and taken off (down) by each run, the oldest first and this one last. The
heights go by square roots, so that a quiet day is seen beside a first load.</p>
<div class="scroll chart"><svg viewBox="0 0 {{ chart_width }} {{ 2 * half + 14 }}" width="{{ chart_width }}"
 height="{{ 2 * half + 14 }}" role="img" aria-label="rows applied and removed by run">
<line class="zero" x1="0" x2="{{ chart_width }}" y1="{{ half }}" y2="{{ half }}"/>
{% for bar in bars %}
{% set tone, state = ending(bar.run.run) %}
<g><title>{{ bar.run.run.started | when }}: {{ state }}; {{ bar.run.sum('applied') | n }} applied, {{ '' -}}
{{ bar.run.sum('removed') | n }} removed</title>
<rect x="{{ bar.left }}" y="0" width="{{ step - gap }}" height="{{ 2 * half }}" fill="transparent"/>
<rect class="up" x="{{ bar.left }}" y="{{ half - bar.up }}" width="{{ step - gap }}" height="{{ bar.up }}"/>
<rect class="down" x="{{ bar.left }}" y="{{ half }}" width="{{ step - gap }}" height="{{ bar.down }}"/>
<circle class="mark {{ tone }}" cx="{{ bar.left + (step - gap) / 2 }}" cy="{{ 2 * half + 8 }}" r="3"/></g>
{% endfor %}
</svg></div>
{% endif %}
<div class="scroll"><table class="cards">
<thead><tr><th>when</th><th>run</th><th>how it ended</th><th class="n">lists</th><th class="n">applied</th>
<th class="n">removed</th><th class="n">rejected</th></tr></thead>
<tbody>
{% for one in r.before %}
{% set tone, state = ending(one.run) %}
<tr><td class="t wide">{{ one.run.started | when }}</td>
<td class="wide"><code>{{ one.run.run_id }}</code></td>
<td class="wide"><span class="state {{ tone }}">{{ state }}</span></td>
{% if one.lists %}
<td class="n" data-h="lists">{{ one.lists | length | n }}</td>
<td class="n" data-h="applied">{{ one.sum('applied') | n }}</td>
<td class="n" data-h="removed">{{ one.sum('removed') | n }}</td>
<td class="n" data-h="rejected">{{ one.sum('rejected', 'rejected_by_checks') | n }}</td>
{% else %}
<td class="n none" colspan="4">no counts are kept</td>
{% endif %}</tr>
{% endfor %}
</tbody>
</table></div>
{% if r.earlier > r.before | length %}<p class="after">The last {{ r.before | length }} of
{{ r.earlier | n }} are shown.</p>{% endif %}
{% else %}<p>This is the first run that is remembered.</p>{% endif %}
</section>

{% if r.notes %}
<section>
<h2>Notes of today</h2>
<ul class="plain">
{% for note in r.notes %}
<li>{{ note }}</li>
{% endfor %}
</ul>
</section>
{% endif %}

<footer>
<p>Made {{ r.made | when }} by reverse-etl {{ version }} from what its state remembers; {{ where }} was not
asked. A run is remembered from its first write on, or where a guard refused it: one that failed before is
not among these.</p>
</footer>
</main>
</body>
</html>
"""

NUMBERS: Final = """\
{% macro numbers(figures, one, first='') %}
{% for figure in figures %}
{% set rows = figure.of(one) %}
{% set tone = ' none' if not rows else ' ' + figure.tone if figure.tone else '' %}
<td class="n{{ first if loop.first }}{{ tone }}" data-h="{{ figure.heading }}">{{ rows | n }}</td>
{% endfor %}
{% endmacro %}
"""

TEMPLATE: Final = NUMBERS + OPENING + STYLE + HEAD + LISTS + PROOF + RUNS
