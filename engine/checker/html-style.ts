// The look of the history report, light and dark, on screen and on paper.

export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --panel: #ffffff; --text: #1d2129; --muted: #626a76; --line: #e3e5e8;
  --read: #3b76d4; --write: #2b8a57; --cas: #8a5bc9; --append: #12868f; --bad: #c8342b; --good: #22794a; --unsure: #9a6200;
  --fault: #b5671a; --dot: #1d2129; --dot-text: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --panel: #1b1e24; --text: #e6e8ec; --muted: #98a1ae; --line: #2e333b;
    --read: #6ea2f2; --write: #55b884; --cas: #b28bea; --append: #45b7c0; --bad: #f2766d; --good: #62c48f; --unsure: #e0a94a;
    --fault: #e79a4f; --dot: #f2f3f5; --dot-text: #14161a;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px clamp(16px, 3vw, 48px) 64px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 22px; font-weight: 600; }
h2 { margin: 36px 0 4px; font-size: 17px; font-weight: 600; }
p { margin: 6px 0; max-width: 90ch; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.verdict { margin: 10px 0 16px; padding: 10px 14px; border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; background: var(--panel); max-width: none; }
.verdict strong { margin-right: 8px; color: var(--tone); }
.verdict.ok { --tone: var(--good); } .verdict.violation { --tone: var(--bad); } .verdict.undecided { --tone: var(--unsure); }
.counts { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 0; }
.counts dt { color: var(--muted); font-size: 12px; } .counts dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { margin: 12px 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
.scroll:focus-visible, select:focus-visible { outline: 2px solid var(--read); outline-offset: 2px; }
.timeline { display: flex; width: max-content; }
.lanes { position: sticky; left: 0; z-index: 1; flex: none; background: var(--panel); border-right: 1px solid var(--line); }
svg { display: block; font: 12px system-ui, sans-serif; fill: var(--text); }
.grid { stroke: var(--line); }
.tick { fill: var(--muted); text-anchor: middle; font-size: 11px; }
.lane { text-anchor: end; }
.read { --tone: var(--read); } .write { --tone: var(--write); } .cas { --tone: var(--cas); } .append { --tone: var(--append); }
.failing { --tone: var(--bad); }
.op rect { fill: color-mix(in srgb, var(--tone) 26%, var(--panel)); stroke: var(--tone); }
.op.failing rect { fill: color-mix(in srgb, var(--tone) 50%, var(--panel)); stroke-width: 2; }
.op.fail rect { fill: none; stroke-dasharray: 1 3; opacity: 0.7; }
.op.unknown rect { fill: color-mix(in srgb, var(--tone) 9%, var(--panel)); stroke-dasharray: 5 3; }
.late { stroke: var(--tone); stroke-dasharray: 2 3; }
.point { fill: var(--dot); stroke: var(--panel); stroke-width: 1; }
.place { fill: var(--dot-text); text-anchor: middle; font-size: 10px; font-weight: 600; }
.call { font: 12px ui-monospace, SFMono-Regular, Menlo, monospace; }
.fault line { stroke: var(--fault); stroke-dasharray: 4 3; } .fault text { fill: var(--fault); font-size: 11px; }
.fault .band { fill: var(--fault); opacity: 0.12; }
table { border-collapse: collapse; margin: 12px 0; }
th, td { padding: 4px 16px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th { color: var(--muted); font-size: 12px; font-weight: 500; }
tr.failing td { color: var(--bad); }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-top: 8px; }
select { max-width: 40ch; padding: 4px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); color: inherit; font: inherit; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 0 8px; padding: 0; list-style: none; color: var(--muted); font-size: 13px; }
.legend i { --tone: var(--muted); display: inline-block; width: 14px; height: 10px; margin-right: 6px; border: 1px solid var(--tone); border-radius: 2px; background: color-mix(in srgb, var(--tone) 26%, var(--panel)); }
.legend i.read { --tone: var(--read); } .legend i.write { --tone: var(--write); } .legend i.cas { --tone: var(--cas); }
.legend i.append { --tone: var(--append); } .legend i.failing { --tone: var(--bad); }
.legend i.fail { background: none; border-style: dotted; } .legend i.unknown { background: none; border-style: dashed; }
.legend b { display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 50%; background: var(--dot); }
@media print { body { padding: 0; } .scroll { overflow: visible; border: 0; } .tools select, .tools label { display: none; } }
`;
