/** The page's look: the orange of Prometheus exporters' landing pages, and little else; light or dark as the reader has it. */
export const styleSheet = `:root {
  color-scheme: light dark;
  --ground: light-dark(#fafafa, #16181c);
  --card: light-dark(#fff, #1f2228);
  --line: light-dark(#e1e3e8, #343943);
  --text: light-dark(#1c1f24, #e6e8ec);
  --soft: light-dark(#59606b, #a4abb7);
  --link: light-dark(#a8370f, #ff9a78);
  --good: light-dark(#17692f, #63d088);
  --bad: light-dark(#b3261e, #ff938a);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header { border-top: 0.3rem solid #e6522c; }
header > div, main { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header > div { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.75rem; padding-top: 1.25rem; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 2.25rem 0 0.6rem; font-size: 1.05rem; font-weight: 650; }
p { margin: 0.35rem 0; }
main { padding-bottom: 3rem; }
a { color: var(--link); text-underline-offset: 0.2em; }
a:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; border-radius: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 0.75rem 0 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: 0.3rem 0; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); gap: 0.6rem; margin: 1.5rem 0 0; }
.summary div { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: 0.6rem 0.8rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; }
.summary dt { color: var(--soft); font-size: 0.875rem; }
.summary .alarming { color: var(--bad); }
.summary dd { margin: 0; white-space: nowrap; font-size: 1.45rem; line-height: 1.35; font-weight: 600; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.6rem 1rem; text-align: left; vertical-align: top; overflow-wrap: break-word; font-weight: 400; }
tbody th, .reason { overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: 0.875rem; }
thead th:first-child { min-width: 20.5rem; }
table + .note { margin-top: 0.75rem; }
tbody th, tbody td { border-top: 1px solid var(--line); }
th strong { font-weight: 600; }
code { font: 0.875em/1.6 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; }
.origin, .reason, .unknown, .note { color: var(--soft); }
.origin, .reason, .note { font-size: 0.875rem; }
.up, .down { font-weight: 600; }
.up { color: var(--good); }
.down { color: var(--bad); }
.up::before, .down::before, .unknown::before { content: "\\25CF" / ""; margin-right: 0.4em; font-size: 0.75em; }
@media (max-width: 60rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; }
  tbody tr { padding: 0.6rem 1rem; }
  tbody tr + tr { border-top: 1px solid var(--line); }
  tbody th, tbody td { display: grid; grid-template-columns: 7rem 1fr; gap: 0 0.5rem; border: 0; padding: 0.15rem 0; overflow-wrap: anywhere; }
  tbody th { display: block; padding-bottom: 0.3rem; }
  tbody th code { font-size: 0.8rem; }
  td::before { content: attr(data-label); color: var(--soft); font-size: 0.875rem; }
}
`;
