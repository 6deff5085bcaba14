/** The style sheet of the backtest's report: light, dark and on paper; colours that stay apart for colour-blind eyes (after Okabe & Ito). */
export const reportStyle = `
:root{--page:#fff;--ink:#1c2024;--soft:#5b6570;--rule:#dfe3e8;--panel:#eef1f4;--own:#c2410c;--passive:#8b95a1;--popular:#b7860b;--ewma:#2b7bb9;--semi:#0a8f6a;--clairvoyant:#1c2024;--band:#e3f4ec;--good:#0a7d5c;color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{--page:#14171a;--ink:#e6e9ec;--soft:#a0a9b3;--rule:#31373e;--panel:#22272c;--own:#ff8a4c;--passive:#8b95a1;--popular:#e6b83c;--ewma:#6bb8f0;--semi:#3ecf9f;--clairvoyant:#e6e9ec;--band:#173a2d;--good:#3ecf9f;color-scheme:dark}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--page);max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem;-webkit-print-color-adjust:exact;print-color-adjust:exact}
h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:3rem 0 .5rem;line-height:1.25}
h3{font-size:1rem;margin:1.5rem 0 .25rem}
p{margin:.5rem 0;max-width:46rem}
.headline{font-size:clamp(1.5rem,4.6vw,2.3rem);line-height:1.22;font-weight:650;letter-spacing:-.01em;margin:0 0 1rem;max-width:none;text-wrap:balance}
.headline b{color:var(--own);font-weight:700}
.soft,small{color:var(--soft)}
small{font-size:.86rem;display:block;line-height:1.45}
svg{width:100%;height:auto;display:block;margin:.5rem 0}
svg.narrow{display:none}
svg text{font-size:12.5px;fill:var(--soft);font-family:inherit}
.grid{stroke:var(--rule);stroke-width:1}
.ideal{stroke:var(--soft);stroke-dasharray:4 4}
.band{fill:var(--band)}
.weight{fill:var(--rule)}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.line.passive{stroke:var(--passive)}.line.popular{stroke:var(--popular);stroke-dasharray:7 4}.line.ewma{stroke:var(--ewma);stroke-dasharray:3 4}.line.foreshadow{stroke:var(--own);stroke-width:3}.line.semiClairvoyant{stroke:var(--semi);stroke-dasharray:10 4}.line.clairvoyant{stroke:var(--clairvoyant);stroke-dasharray:1 5}
.dot{stroke:var(--page);stroke-width:1.5}.dot.site{fill:var(--own)}.dot.region{fill:var(--ewma)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.75rem 0 0;padding:0;list-style:none;font-size:.9rem;color:var(--soft)}
.legend svg{display:inline-block;width:28px;height:10px;margin:0 .4rem 0 0;vertical-align:middle}
.bars{display:grid;grid-template-columns:max-content 1fr max-content;gap:.35rem .9rem;align-items:center;margin:1.25rem 0}
.bars .bar{height:1.15rem;background:var(--panel);border-radius:3px;overflow:hidden;display:flex}
.bars .bar i{display:block;height:100%}
.bars .value{font-variant-numeric:tabular-nums;text-align:right}
.bars .own{font-weight:650}
.passing{background:var(--passive)}.refreshed,.missed{background:var(--own)}.by-region{background:var(--ewma)}
.swatch{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem;vertical-align:-1px}
.facts{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin:1.5rem 0 0;padding:0}
.facts dt{font-size:.86rem;color:var(--soft)}
.facts dd{margin:0;font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums;line-height:1.25}
.pair{display:grid;grid-template-columns:1fr 1.1fr;gap:1.5rem;align-items:start}
.scroll{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
.tight th,.tight td{padding-left:.3rem;padding-right:.3rem}.tight td{font-size:.85rem}
th{font-weight:600;color:var(--soft);font-size:.86rem;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;padding-left:0}
td.path{white-space:normal;min-width:11rem;overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.86rem}
th.words,td.words{text-align:left}
tr.own td{font-weight:650}
td.open{color:var(--good);font-weight:650}
td.shut{color:var(--soft)}
details{margin:1rem 0}
summary{cursor:pointer;color:var(--soft)}
pre{overflow-x:auto;background:var(--panel);padding:.6rem .8rem;border-radius:4px;font-size:.82rem;margin:.4rem 0 1rem}
@media (max-width:640px){body{padding:1.5rem 1rem 3rem}svg.wide{display:none}svg.narrow{display:block}.pair{grid-template-columns:minmax(0,1fr)}.bars{grid-template-columns:1fr max-content;gap:.1rem .75rem}.bars .name{grid-column:1/-1;margin-top:.5rem}.facts dd{font-size:1.25rem}}
@media print{body{padding:0;font-size:11pt;max-width:none}svg.wide{display:block}svg.narrow{display:none}h2{break-after:avoid}svg,table,.bars{break-inside:avoid}}
`;
