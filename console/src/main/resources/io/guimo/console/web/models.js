// Which models serve, how good they are, and where they came from.
import { h, tags } from './tags.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useLoaded } from './loading.js';
import { Badge, Card, Empty, Facts, Loaded, Page, Stats, Table } from './parts.js';
import { Plot, axis, named } from './plot.js';

const { a, code: codeText, div, h2, li, ol, p, span, strong } = tags;

export const Models = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const models = useLoaded((signal) => owner.models(signal), [owner]);
  return h(Page, { title: t('models.title'), lead: t('models.lead') },
    h(Loaded, { from: models }, ({ data }) => data.length === 0
      ? h(Card, {}, h(Empty, { title: t('models.none') }, t('models.none-hint')))
      : div({ class: 'columns' }, data.map((model) => h(ModelCard, { model, key: model.name })))));
};

const ModelCard = ({ model }) => {
  const { t, code } = useSpeech();
  return a({ class: 'card model-card half', href: `#/models/${encodeURIComponent(model.name)}` },
    div({ class: 'row apart' }, h2(model.name), h(GateBadge, { gate: model.gate })),
    h(PrimaryMetric, { evaluation: model.evaluation }),
    div({ class: 'row small soft' },
      span(code('task', model.task)),
      span(t('models.version', { version: model.version })),
      h(SignatureBadge, { signature: model.signature })));
};

const PrimaryMetric = ({ evaluation }) => {
  const { t, code } = useSpeech();
  const score = useScore();
  if (!evaluation) return p({ class: 'soft' }, t('models.as-is'));
  const { primary, metrics } = evaluation;
  const baseline = strongest(evaluation);
  return div(
    div({ class: 'headline' }, score(primary, metrics[primary])),
    p({ class: 'soft small' }, code('metric', primary),
      baseline && ` · ${t('models.baseline-value', { name: code('baseline', baseline.name), value: score(primary, baseline.metrics[primary]) })}`));
};

/** Shares of one as percent, everything else as a number. */
const useScore = () => {
  const { percent, fixed } = useSpeech();
  return (metric, value) => {
    if (value === null || value === undefined) return '–';
    return metric.toLowerCase().includes('loss') || value > 1 || value < 0 ? fixed(value, 4) : percent(value, 2);
  };
};

const strongest = ({ primary, baselines }) => baselines.length === 0 ? null
  : baselines.reduce((best, each) => (each.metrics[primary] ?? -Infinity) > (best.metrics[primary] ?? -Infinity) ? each : best);

const GateBadge = ({ gate }) => {
  const { t } = useSpeech();
  if (!gate) return null;
  if (gate.forced) return h(Badge, { tone: 'warn', icon: 'notice' }, t('gate.forced'));
  return gate.passed ? h(Badge, { tone: 'good', icon: 'check' }, t('gate.passed')) : h(Badge, { tone: 'bad', icon: 'cross' }, t('gate.failed'));
};

const SignatureBadge = ({ signature }) => {
  const { t } = useSpeech();
  return signature.verified
    ? h(Badge, { tone: 'good', icon: 'check' }, t('signature.verified'))
    : h(Badge, { tone: 'bad', icon: 'cross' }, t('signature.unverified'));
};

/** One model: its serving version, or the newest where none serves. */
export const Model = ({ id }) => {
  const { t, code } = useSpeech();
  const owner = useOwner();
  const loaded = useLoaded((signal) => owner.model(id, signal), [owner, id]);
  return h(Page, { title: id, lead: loaded.value && code('task', loaded.value.task), back: { href: '#/models', text: t('models.title') } },
    h(Loaded, { from: loaded }, (model) => [
      h(Signs, { key: 'signs', model }),
      model.evaluation && div({ class: 'columns', key: 'judged' },
        h(Metrics, { evaluation: model.evaluation }),
        h(GateChecks, { gate: model.gate })),
      model.run && h(Curve, { key: 'curve', curve: model.run.curve }),
      model.evaluation?.confusion && div({ class: 'columns', key: 'confusion' },
        h(Confusion, { confusion: model.evaluation.confusion }),
        h(PerClass, { classes: model.evaluation.per_class })),
      div({ class: 'columns', key: 'origin' },
        h(Lineage, { model }),
        h(Versions, { versions: model.versions })),
    ]));
};

const Signs = ({ model }) => {
  const { t, seconds, moment, money } = useSpeech();
  const { run } = model;
  return h(Stats, { of: [
    { label: t('models.serving'), value: t('models.version', { version: model.version }), note: model.promoted_at && moment(model.promoted_at) },
    {
      label: t('signature.title'), value: model.signature.verified ? t('signature.verified') : t('signature.unverified'),
      tone: model.signature.verified ? 'good' : 'bad', note: model.signature.problem ?? t('signature.key', { key: model.signature.key_id.slice(0, 12) }),
      exact: model.signature.key_id,
    },
    ...(run ? [
      { label: t('models.training'), value: seconds(run.seconds), note: t('models.cpu', { seconds: seconds(run.cpu_seconds) }) },
      { label: t('models.cost'), value: run.cost ? money(run.cost.amount, run.cost.currency) : '–', note: t('models.cost-note') },
    ] : []),
  ] });
};

const Metrics = ({ evaluation }) => {
  const { t, code, count } = useSpeech();
  const score = useScore();
  const { metrics, intervals, baselines, examples, notes } = evaluation;
  return h(Card, { title: t('models.metrics'), hint: t('models.examples', { count: count(examples) }), kind: 'two-thirds' },
    h(Table, {
      label: t('models.metrics'), rows: Object.keys(metrics), keyOf: (name) => name,
      columns: [
        { title: t('column.metric'), cell: (name) => code('metric', name) },
        { title: t('column.this-model'), end: true, cell: (name) => div(
          strong(score(name, metrics[name])),
          intervals[name] && p({ class: 'small soft' }, `${score(name, intervals[name].lower)} – ${score(name, intervals[name].upper)}`)) },
        ...baselines.map((baseline) => ({
          title: code('baseline', baseline.name), end: true, cell: (name) => score(name, baseline.metrics[name]),
        })),
      ],
    }),
    notes.length > 0 && div({ class: 'small soft after-table', lang: 'en' }, notes.map((note) => p({ key: note }, note))));
};

const GateChecks = ({ gate }) => {
  const { t, number } = useSpeech();
  return h(Card, { title: t('gate.title'), kind: 'third' },
    !gate || gate.checks.length === 0 ? h(Empty, { title: t('gate.none') }) : ol({ class: 'steps' }, gate.checks.map((check) =>
      li({ key: check.rule },
        span(check.rule),
        h(Badge, check.passed ? { tone: 'good', icon: 'check' } : { tone: 'bad', icon: 'cross' }, check.passed ? t('gate.met') : t('gate.missed')),
        span({ class: 'small soft' }, check.value === null ? t('gate.unmeasured') : t('gate.value', { value: number(check.value, 4) }))))),
    gate?.forced && p({ class: 'small' }, t('gate.forced-by', { by: gate.forced.by, why: gate.forced.why })));
};

/** Loss on the left axis, every other measure on the right. */
const Curve = ({ curve }) => {
  const { t, code, number } = useSpeech();
  if (curve.length === 0) return null;
  const names = [...new Set(curve.flatMap((point) => Object.keys(point.values)))];
  const isLoss = (name) => name.toLowerCase().includes('loss');
  const others = names.filter((name) => !isLoss(name));
  return h(Card, { title: t('models.curve') },
    h(Plot, {
      label: t('models.curve'), inputs: [curve],
      draw: (colour) => ({
        grid: { top: 56 },
        xAxis: axis(colour, 'category', { data: curve.map((point) => point.epoch), ...named(t('models.epoch')) }),
        yAxis: [
          axis(colour, 'value', { name: names.some(isLoss) ? t('models.loss') : '', scale: true, axisLabel: { formatter: number } }),
          axis(colour, 'value', { name: others.length ? t('models.measure') : '', scale: true, splitLine: { show: false }, axisLabel: { formatter: number } }),
        ],
        tooltip: {
          trigger: 'axis',
          formatter: (points) => [t('models.epoch-number', { epoch: points[0].name }),
            ...points.map((point) => `${point.seriesName}  ${number(point.value, 4)}`)].join('\n'),
        },
        series: names.map((name) => ({
          name: code('metric', name), type: 'line', yAxisIndex: isLoss(name) ? 0 : 1, symbolSize: 7, symbol: 'circle',
          lineStyle: { width: 2.5, type: isLoss(name) ? 'dashed' : 'solid' }, data: curve.map((point) => point.values[name] ?? null),
        })),
      }),
      figures: {
        columns: [
          { title: t('models.epoch'), cell: (point) => point.epoch },
          ...names.map((name) => ({ title: code('metric', name), cell: (point) => number(point.values[name] ?? NaN, 4), end: true })),
        ],
        rows: curve,
      },
    }));
};

const Confusion = ({ confusion }) => {
  const { t, count, percent, thing } = useSpeech();
  const labels = confusion.labels.map(thing);
  const share = confusion.counts.map((row) => {
    const total = row.reduce((sum, each) => sum + each, 0);
    return row.map((each) => total ? each / total : 0);
  });
  return h(Card, { title: t('confusion.title'), hint: t('confusion.hint'), kind: 'two-thirds' },
    h(Plot, {
      label: t('confusion.title'), inputs: [confusion], kind: 'tall',
      draw: (colour) => ({
        grid: { top: 8 },
        legend: { show: false },
        xAxis: axis(colour, 'category', {
          data: labels, axisLine: { show: false },
          axisLabel: { rotate: 40, interval: 0, fontSize: 11 },
        }),
        yAxis: axis(colour, 'category', {
          data: labels, inverse: true, axisLine: { show: false }, splitLine: { show: false },
          axisLabel: { interval: 0, fontSize: 11 },
        }),
        visualMap: { show: false, min: 0, max: 1, inRange: { color: colour.heat } },
        tooltip: {
          formatter: ({ value: [predicted, truth] }) => [
            t('confusion.cell', { truth: labels[truth], predicted: labels[predicted] }),
            `${count(confusion.counts[truth][predicted])} · ${percent(share[truth][predicted])}`,
          ].join('\n'),
        },
        series: [{
          type: 'heatmap',
          // the square root, so that rare mistakes are seen beside a diagonal near 1
          data: share.flatMap((row, truth) => row.map((each, predicted) => [predicted, truth, Math.sqrt(each)])),
          itemStyle: { borderColor: colour.surface, borderWidth: 2, borderRadius: 3 },
          emphasis: { itemStyle: { borderColor: colour.ink, borderWidth: 1 } },
        }],
      }),
      figures: {
        columns: [
          { title: t('confusion.true'), cell: (row) => labels[row] },
          ...labels.map((label, predicted) => ({ title: label, cell: (row) => count(confusion.counts[row][predicted]), end: true })),
        ],
        rows: labels.map((_, row) => row),
      },
    }));
};

const PerClass = ({ classes }) => {
  const { t, percent, thing } = useSpeech();
  return h(Card, { title: t('models.per-class'), kind: 'third' },
    h(Table, {
      label: t('models.per-class'), rows: classes, keyOf: (each) => each.label, folds: false,
      columns: [
        { title: t('column.label'), cell: (each) => thing(each.label) },
        { title: t('metric.precision'), cell: (each) => percent(each.precision), end: true },
        { title: t('metric.recall'), cell: (each) => percent(each.recall), end: true },
      ],
    }));
};

/** From the rows of data to the package that serves. */
const Lineage = ({ model }) => {
  const { t, moment, bytes, code } = useSpeech();
  const { run } = model;
  const digest = (text) => codeText({ title: text, class: 'small' }, `${text.slice(0, 16)}…`);
  const stations = [
    ...(run ? Object.entries(run.data_fingerprints).map(([name, fingerprint]) => ({ title: t('lineage.data', { name }), rest: digest(fingerprint) })) : []),
    run && {
      title: t('lineage.run'), rest: h(Facts, { of: [
        [t('lineage.finished'), moment(run.finished_at)],
        [t('lineage.code'), codeText(run.code_version)],
        [t('lineage.memory'), bytes(run.peak_memory_bytes)],
        [t('lineage.run-id'), codeText(run.id)],
      ] }),
    },
    model.base_model && { title: t('lineage.base'), rest: digest(model.base_model) },
    { title: t('lineage.package'), rest: div(digest(model.package_digest), p({ class: 'small soft' }, t('lineage.key', { key: model.signature.key_id.slice(0, 16) }))) },
    model.promoted_at && { title: t('lineage.promoted', { version: model.version }), rest: moment(model.promoted_at) },
  ].filter(Boolean);
  return h(Card, { title: t('lineage.title'), kind: 'half' },
    ol({ class: 'lineage' }, stations.map((station) => li({ key: station.title }, strong(station.title), div(station.rest)))));
};

const Versions = ({ versions }) => {
  const { t, moment } = useSpeech();
  return h(Card, { title: t('models.versions'), kind: 'half' },
    h(Table, {
      label: t('models.versions'), rows: versions, keyOf: (each) => each.version,
      columns: [
        { title: t('column.version'), cell: (each) => each.version },
        { title: t('column.registered'), cell: (each) => moment(each.registered_at) },
        { title: t('column.state'), cell: (each) => each.promoted ? h(Badge, { tone: 'good', icon: 'check' }, t('models.serves')) : h(Badge, {}, t('models.kept')) },
      ],
    }));
};
