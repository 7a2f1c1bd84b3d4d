// The look of the chaos report, light and dark, on screen and on paper.

export const CHAOS_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --panel: #ffffff; --text: #1d2129; --muted: #5c6470; --line: #e3e5e8;
  --good: #22794a; --bad: #c8342b; --unsure: #9a6200; --low: #2f6bd0; --high: #8a5bc9;
  --nuisance: #8b93a0; --node: #c2701c; --cluster: #c8342b; --memory: #8a5bc9; --reign: #2f6bd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --panel: #1b1e24; --text: #e6e8ec; --muted: #98a1ae; --line: #2e333b;
    --good: #62c48f; --bad: #f2766d; --unsure: #e0a94a; --low: #6ea2f2; --high: #b28bea;
    --nuisance: #7d8694; --node: #e79a4f; --cluster: #f2766d; --memory: #b28bea; --reign: #6ea2f2;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px clamp(16px, 3vw, 48px) 64px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 22px; font-weight: 600; }
h2 { margin: 32px 0 4px; font-size: 17px; font-weight: 600; }
p { margin: 6px 0; max-width: 90ch; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; }
.muted { color: var(--muted); }
.verdict { margin: 10px 0 12px; padding: 10px 14px; border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; background: var(--panel); max-width: none; }
.verdict strong { margin-right: 8px; color: var(--tone); }
.verdict.ok { --tone: var(--good); } .verdict.violation { --tone: var(--bad); } .verdict.undecided { --tone: var(--unsure); }
.reasons { color: var(--bad); max-width: 110ch; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 12px 28px; margin: 16px 0 0; }
.figures dt { color: var(--muted); font-size: 12px; } .figures dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { margin: 12px 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
.scroll:focus-visible { outline: 2px solid var(--low); outline-offset: 2px; }
svg { display: block; font: 11px system-ui, sans-serif; fill: var(--text); }
.grid { stroke: var(--line); } .tick, .lane { fill: var(--muted); }
.label { font-weight: 600; } .name { fill: var(--tone); }
.line { fill: none; stroke: var(--tone); stroke-width: 1.5; stroke-linejoin: round; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); } .high { --tone: var(--high); } .low { --tone: var(--low); }
.reign { stroke: var(--reign); stroke-dasharray: 2 3; opacity: 0.6; }
rect { rx: 2px; } rect.nuisance { fill: var(--nuisance); } rect.node { fill: var(--node); } rect.cluster { fill: var(--cluster); } rect.memory { fill: var(--memory); }
.tables { display: flex; flex-wrap: wrap; gap: 0 56px; align-items: flex-start; }
table { border-collapse: collapse; margin: 8px 0; }
th, td { padding: 3px 18px 3px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; max-width: 60ch; }
th { color: var(--muted); font-size: 12px; font-weight: 500; }
@media print { body { padding: 0; } .scroll { overflow: visible; border: 0; } }
`;
