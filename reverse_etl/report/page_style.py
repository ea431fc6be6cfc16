"""The style of a report's page: light and dark, on a phone and on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """\
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --sheet: #ffffff; --ink: #1f2328; --soft: #5f6971; --line: #e4e2dc;
  --good: #1a7f4b; --open: #2f5fd0; --look: #8f6000; --bad: #b3261e;
  --right: #c9cdc8; --sent: #3d9a6a; --wait: #e0a93a; --stop: #cf4a41; --off: #8a90b4;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #15171a; --sheet: #1d2024; --ink: #e6e6e3; --soft: #9aa3ab; --line: #30343a;
    --good: #57c58a; --open: #8fb0ff; --look: #e0b04a; --bad: #ff8a80;
    --right: #4a5057; --sent: #3f9f70; --wait: #b98a2c; --stop: #c9574f; --off: #7f86b0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 28px 20px 56px; }
h1, h2, .said, td, dd, li, .name { overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.25; margin: 2px 0 0; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 4px; }
p { margin: 0 0 10px; color: var(--soft); max-width: 76ch; }
section > p:last-child { margin-bottom: 0; }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.after { margin: 10px 0 0; }
.over { color: var(--soft); font-size: 13px; margin: 0; }
.badge { font-size: 12px; font-weight: 600; padding: 1px 8px; border-radius: 99px; }
.badge { border: 1px solid currentColor; color: var(--look); white-space: nowrap; }
dl { display: grid; gap: 10px 28px; margin: 16px 0 20px; }
dl { grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; }
section { padding: 16px 18px; margin: 0 0 16px; }
.verdict { border-left: 6px solid var(--tone); }
.said { font-size: 21px; line-height: 1.3; font-weight: 600; color: var(--tone); margin: 0; }
.verdict ul { margin: 8px 0 0; padding-left: 20px; }
.good { --tone: var(--good); } .open { --tone: var(--open); }
.look { --tone: var(--look); } .bad { --tone: var(--bad); }
.state { color: var(--tone); font-size: 13px; white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 4px; }
.state::before { background: var(--tone); margin-right: 6px; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 500; font-size: 12px; color: var(--soft); padding: 0 10px 6px 0; }
th { vertical-align: bottom; }
td { padding: 7px 10px 7px 0; border-top: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tfoot td { font-weight: 600; border-top-width: 2px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.t { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; }
td.n.none { color: var(--soft); opacity: .6; }
td.n.bad, td.n.look { color: var(--tone); font-weight: 600; }
.split { border-left: 1px solid var(--line); padding-left: 10px; }
.name { min-width: 150px; max-width: 420px; }
.name small { display: block; color: var(--soft); font-size: 12px; }
.shape { min-width: 112px; }
.lists td:first-child { position: sticky; left: 0; background: var(--sheet); min-width: 200px; }
.such code { white-space: nowrap; }
.such { min-width: 200px; }
.long { grid-column: span 2; }
.bar { display: flex; gap: 1px; height: 8px; border-radius: 4px; overflow: hidden; margin-top: 4px; }
.bar i { display: block; min-width: 2px; height: 8px; }
.right { background: var(--right); } .sent { background: var(--sent); }
.wait { background: var(--wait); } .stop { background: var(--stop); }
.keys { font-size: 12px; color: var(--soft); margin: 12px 0 0; }
.keys i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 5px 0 0; }
.keys span { margin-right: 16px; white-space: nowrap; }
svg { display: block; }
.chart { margin-bottom: 12px; }
.line { fill: none; stroke: var(--open); stroke-width: 1.5; }
.up { fill: var(--sent); } .down { fill: var(--off); } .zero { stroke: var(--line); }
.mark { fill: var(--tone); } .this { font-size: 10px; fill: var(--soft); }
details summary { cursor: pointer; }
details.legend { margin-top: 10px; font-size: 13px; color: var(--soft); }
details.legend dl { margin: 8px 0 0; gap: 4px 24px; }
details.legend dl { grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); }
details.legend dt { display: inline; color: var(--ink); font-size: 13px; }
details.legend dd { display: inline; }
.proof { border-top: 1px solid var(--line); }
.proof > summary { display: grid; gap: 2px 14px; padding: 7px 0; font-size: 14px; list-style: none; }
.proof > summary, .proofs { grid-template-columns: 14px minmax(130px, 2fr) 1.3fr 76px 92px 2.2fr; }
.proof > summary::-webkit-details-marker { display: none; }
.proof > summary::before { content: "+"; color: var(--soft); }
.proof[open] > summary::before { content: "\\2212"; }
.proofs { display: grid; gap: 2px 14px; font-size: 12px; color: var(--soft); padding-bottom: 6px; }
.inner { padding: 2px 0 14px 28px; }
.inner table { font-size: 13px; }
ul.plain { margin: 0; padding-left: 20px; }
ul.plain li + li { margin-top: 6px; }
footer { color: var(--soft); font-size: 13px; }
footer p { max-width: none; }
@media (max-width: 720px) {
  main { padding: 18px 12px 40px; }
  section { padding: 14px; }
  h1 { font-size: 22px; }
  dl { grid-template-columns: 1fr 1fr; gap: 10px 16px; }
  .cards, .cards tbody, .cards tfoot { display: block; }
  .cards thead { display: none; }
  .cards tr { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 16px; }
  .cards tr { border-top: 1px solid var(--line); padding: 10px 0; }
  .cards td { display: flex; justify-content: space-between; gap: 8px; border: 0; padding: 0; }
  .cards td[data-h]::before { content: attr(data-h); color: var(--soft); font-weight: 400; }
  .cards td.wide { grid-column: 1 / -1; display: block; max-width: none; }
  .cards td.wide[data-h]::before { content: attr(data-h) " "; }
  .cards td.none, .cards td.empty { display: none; }
  .split { border-left: 0; padding-left: 0; }
  .bar { margin: 4px 0; }
  .lists td:first-child { position: static; }
  .such code { white-space: normal; }
  .proofs { display: none; }
  .proof > summary { grid-template-columns: 14px 1fr auto; }
  .proof > summary > :nth-child(n + 3) { grid-column: 2 / -1; text-align: left; }
  .proof > summary [data-h]::before { content: attr(data-h) ": "; color: var(--soft); }
  .inner { padding-left: 0; }
}
@media print {
  @page { size: A4 landscape; margin: 11mm; }
  body { background: none; font-size: 11px; }
  main { max-width: none; padding: 0; }
  section { border-radius: 0; padding: 8px 0; border-width: 1px 0 0; }
  .verdict { border-left-width: 6px; padding-left: 10px; }
  .bar, .bar i, .keys i, .state::before { print-color-adjust: exact; }
  .scroll { overflow: visible; }
  table, .proof > summary, code, dt, th, .state, .over, .name small { font-size: 10px; }
  tfoot { display: table-row-group; }
  th, td { padding-right: 7px; }
  tr, .verdict, .proof { break-inside: avoid; }
  h2 { break-after: avoid; }
  details.legend { display: none; }
}
"""
