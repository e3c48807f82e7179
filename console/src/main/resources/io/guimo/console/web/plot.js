// Plots, drawn by ECharts when one is first shown; each comes with the same figures as a table.
import { h, tags } from './tags.js';
import { useEffect, useRef, useState } from './hooks.js';
import { useSpeech } from './language.js';
import { Failure, Table } from './parts.js';

const { details, div, summary } = tags;

/** Colours of the page as it now looks, for a canvas, which knows no style sheet. */
const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: token('ink'), soft: token('ink-soft'), line: token('line'), surface: token('surface'), raised: token('raised'),
    bad: token('bad'), series: [1, 2, 3, 4, 5].map((each) => token(`plot-${each}`)), heat: [0, 1, 2].map((each) => token(`heat-${each}`)),
    sans: token('sans'),
  };
};

/** Settings that all plots share. Tooltips are drawn on the canvas: as markup they would need inline styles, which this page forbids. */
const frame = (colour) => ({
  color: colour.series,
  textStyle: { fontFamily: colour.sans, color: colour.ink },
  animationDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 300,
  grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
  // in one line, on a phone with arrows: a second line would lie on the plot
  legend: {
    type: 'scroll', top: 0, left: 0, right: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 8, itemGap: 18, textStyle: { color: colour.soft, fontSize: 12 },
    pageIconColor: colour.ink, pageIconInactiveColor: colour.line, pageIconSize: 11, pageTextStyle: { color: colour.soft },
  },
  tooltip: {
    renderMode: 'richText', confine: true, backgroundColor: colour.surface, borderColor: colour.line, borderWidth: 1, padding: [8, 12],
    textStyle: { color: colour.ink, fontSize: 12 },
  },
});

/** An axis name in the middle below or beside its axis; `room` is the distance for its labels. */
export const named = (name, room = 28) => ({ name, nameLocation: 'middle', nameGap: room });

/** Looks of an axis: `kind` is category, value or log. */
export const axis = (colour, kind, settings = {}) => ({
  type: kind,
  axisLine: { show: kind === 'category', lineStyle: { color: colour.line } },
  axisTick: { show: false },
  splitLine: { show: kind === 'value' || kind === 'log', lineStyle: { color: colour.line } },
  nameTextStyle: { color: colour.soft, fontSize: 12 },
  ...settings,
  axisLabel: { color: colour.soft, fontSize: 12, hideOverlap: true, ...settings.axisLabel },
});

/**
 * A plot named by `label`. `draw(colours)` returns ECharts settings; it runs again when one of `inputs`, the language or the colours
 * change. `figures` is the table beside it: `{ columns, rows }`.
 */
export const Plot = ({ label, draw, inputs, figures, kind = '' }) => {
  const place = useRef(null);
  const chart = useRef(null);
  const [library, setLibrary] = useState(null);
  const [error, setError] = useState(null);
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const { t, language } = useSpeech();
  useEffect(() => { import('./echarts.js').then(setLibrary, setError); }, []);
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => setDark(scheme.matches);
    scheme.addEventListener('change', changed);
    return () => scheme.removeEventListener('change', changed);
  }, []);
  useEffect(() => {
    if (!library) return undefined;
    chart.current = library.init(place.current, null, { renderer: 'canvas' });
    const resized = new ResizeObserver(() => chart.current.resize());
    resized.observe(place.current);
    return () => { resized.disconnect(); chart.current.dispose(); };
  }, [library]);
  useEffect(() => {
    if (!library) return;
    const colour = colours();
    const wanted = draw(colour);
    const shared = frame(colour);
    chart.current.setOption({
      ...shared, ...wanted,
      // names of axes are not part of what containLabel keeps room for
      grid: { ...shared.grid, ...([wanted.xAxis].flat().some((each) => each?.name) ? { bottom: 26 } : {}), ...wanted.grid }, legend: { ...shared.legend, ...wanted.legend }, tooltip: { ...shared.tooltip, ...wanted.tooltip },
    }, true);
  }, [library, dark, language, ...inputs]);
  if (error) return h(Failure, { error: { code: 'unreachable', message: error.message } });
  return [
    div({ class: `plot ${kind}`, ref: place, role: 'img', 'aria-label': label, key: 'plot', 'data-drawn': String(library !== null) }),
    figures && details({ class: 'plot-table', key: 'figures' },
      summary(t('plot.figures')),
      h(Table, { label, ...figures, plain: true, folds: false })),
  ];
};
