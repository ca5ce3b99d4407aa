/** The landing page's style: the orange of exporter-toolkit's landing pages; light or dark as the browser prefers. */
export const styleSheet = `:root {
  color-scheme: light dark;
  --line: light-dark(#e1e3e8, #343943);
  --soft: light-dark(#59606b, #a4abb7);
  --link: light-dark(#a8370f, #ff9a78);
  --good: light-dark(#17692f, #63d088);
  --bad: light-dark(#b3261e, #ff938a);
}
* { box-sizing: border-box; }
body { margin: 0; background: light-dark(#fafafa, #16181c); color: light-dark(#1c1f24, #e6e8ec); border-top: 0.3rem solid #e6522c; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2.25rem 0 0.6rem; font-size: 1.05rem; }
p { margin: 0.35rem 0; }
a { color: var(--link); }
a:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin-top: 0.75rem; }
nav a { padding: 0.3rem 0; }
.summary { margin-top: 1.5rem; font-size: 1.1rem; }
table { width: 100%; border-collapse: separate; border-spacing: 0; border: 1px solid var(--line); border-radius: 0.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.6rem 1rem; text-align: left; vertical-align: top; overflow-wrap: break-word; font-weight: 400; }
tbody th, .reason { overflow-wrap: anywhere; }
thead th { color: var(--soft); font-size: 0.875rem; }
thead th:first-child { min-width: 20.5rem; }
tbody th, tbody td { border-top: 1px solid var(--line); }
code { font: 0.875em/1.6 ui-monospace, Menlo, Consolas, monospace; }
.origin, .reason, .unknown, .note { color: var(--soft); }
.origin, .reason, .note { font-size: 0.875rem; }
.up { color: var(--good); }
.down { color: var(--bad); }
.up::before, .down::before, .unknown::before { content: "\\25CF" / ""; margin-right: 0.4em; font-size: 0.75em; }
@media (max-width: 60rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; }
  tbody tr { padding: 0.6rem 1rem; }
  tbody th, tbody td { display: grid; grid-template-columns: 7rem 1fr; gap: 0 0.5rem; border: 0; padding: 0.15rem 0; overflow-wrap: anywhere; }
  tbody th { display: block; padding-bottom: 0.3rem; }
  tbody th code { font-size: 0.8rem; }
  td::before { content: attr(data-label); color: var(--soft); font-size: 0.875rem; }
}
`;

/** The icon in browser tabs: an arrow that goes back. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#e6522c"/>
<path d="M9 7v7h7M9.5 13.5a8.5 8.5 0 1 1-1.2 6" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`;
