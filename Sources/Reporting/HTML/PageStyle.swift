/// How the page looks.
enum PageStyle {
    static let css = """
        :root{--ground:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5b6675;--rule:#dfe3e8;--accent:#2563a8;\
        --bar:#3b78b8;--support:#8795a6;--old:#c2570c;--good:#1a7f4b;--bad:#b42318;--warn:#fff6e0;\
        --warn-ink:#6b4700;--void:#e9ecf0;--trace-light:44%}
        @media(prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1a2029;--ink:#e4e9f0;--soft:#9aa7b6;\
        --rule:#2c3643;--accent:#7db4ee;--bar:#6aa5e0;--support:#6d7c8e;--old:#f0a35e;--good:#5cc98f;--bad:#ff8a7a;\
        --warn:#372b10;--warn-ink:#f3d489;--void:#242c37;--trace-light:64%}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:2.5rem 1.25rem 3rem;max-width:72rem;background:var(--ground);color:var(--ink);\
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        h1{margin:0;font-size:2rem;line-height:1.15;letter-spacing:-.02em;overflow-wrap:anywhere}
        h2{margin:0 0 .6rem;font-size:1.15rem;letter-spacing:-.01em;overflow-wrap:anywhere}
        h3{margin:1.2rem 0 .4rem;font-size:.95rem}
        code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;\
        overflow-wrap:anywhere}
        a{color:var(--accent)}
        .kicker{margin:0 0 .25rem;color:var(--soft);font-weight:600}
        .tiles{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1.4rem 0 1.2rem;padding:0;list-style:none}
        .tiles b{display:block;font-size:1.45rem;font-weight:600;line-height:1.2;letter-spacing:-.01em}
        .tiles span{color:var(--soft);font-size:.87rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:0;padding:.9rem 0 0;\
        border-top:1px solid var(--rule);font-size:.92rem}
        dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}
        main{display:grid;grid-template-columns:minmax(0,1fr);gap:1.1rem;margin-top:1.75rem}
        section{padding:1.15rem 1.3rem;background:var(--card);border:1px solid var(--rule);border-radius:10px}
        .warnings{background:var(--warn);color:var(--warn-ink);border-color:transparent}
        .warnings ul{margin:0;padding-left:1.1rem}
        .proofs{display:grid;gap:.55rem;margin:0;padding:0;list-style:none}
        .proofs li{display:flex;gap:.65rem}
        .proofs small{display:block;color:var(--soft)}
        .verdict{font-weight:700}.held .verdict{color:var(--good)}.failed .verdict,.failed b{color:var(--bad)}
        .scroll{overflow-x:auto}
        table{width:100%;border-collapse:collapse;font-size:.9rem}
        th,td{padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
        thead th{color:var(--soft);font-weight:500}
        tbody th{font-weight:600}tbody tr:last-child>*{border-bottom:0}
        td code,td:nth-child(3){white-space:nowrap}
        .number{white-space:nowrap;font-variant-numeric:tabular-nums}
        .place{margin:-.35rem 0 .9rem;color:var(--soft);font-size:.9rem}
        .change{margin:0 0 .9rem}
        .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem 1.5rem}
        figure{margin:0;min-width:0}
        figcaption{color:var(--soft);font-size:.87rem}
        svg{display:block;width:100%;height:auto}
        svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
        svg .axis{fill:var(--ink)}
        .middle{text-anchor:middle}.end{text-anchor:end}
        .grid{stroke:var(--rule);stroke-width:1}.base{stroke:var(--soft);stroke-width:1}
        .boundary{stroke:var(--support);stroke-width:1;stroke-dasharray:2 3}
        .bar{fill:var(--bar)}.support{fill:var(--support)}.bar:hover,.support:hover{fill:var(--accent)}
        .old{fill:none;stroke:var(--old);stroke-width:2}
        .unreached{fill:var(--void)}
        .trace{fill:none;stroke:hsl(var(--hue) 58% var(--trace-light));stroke-width:1.5;stroke-linejoin:round;\
        stroke-linecap:round}
        .old-trace{stroke-dasharray:3 4;opacity:.65}
        .trace:hover{stroke-width:4}
        .legend{display:flex;flex-wrap:wrap;align-items:center;gap:.1rem .7rem;margin:0 0 .5rem;color:var(--soft);\
        font-size:.87rem}
        .key::before,.none::before{content:"";display:inline-block;width:.8rem;height:.22rem;margin-right:.3rem;\
        vertical-align:middle;background:hsl(var(--hue) 58% var(--trace-light));border-radius:2px}
        .none::before{height:.8rem;background:var(--void);border:1px solid var(--rule)}
        footer{margin-top:1.75rem;color:var(--soft);font-size:.87rem}
        @media print{body{background:none;max-width:none}section{break-inside:avoid}}
        """
}
