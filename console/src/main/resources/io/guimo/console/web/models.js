// Which models serve, how good they are, and where they came from.
import { h, tags } from './tags.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useLoaded } from './loading.js';
import { Badge, Card, Empty, Facts, Loaded, Page, Stat, Stats, Table } from './parts.js';
import { Plot, axis, named } from './plot.js';

const { a, code: codeText, div, h2, li, ol, p, span, strong } = tags;

export const Models = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const models = useLoaded(async (signal) => {
    const { data } = await owner.models(signal);
    return Promise.all(data.map((model) => owner.model(model.name, signal)));
  }, [owner]);
  return h(Page, { title: t('models.title'), lead: t('models.lead') },
    h(Loaded, { from: models }, (details) => details.length === 0
      ? h(Card, {}, h(Empty, { title: t('models.none') }, t('models.none-hint')))
      : div({ class: 'columns' }, details.map((detail) => h(ModelCard, { detail, key: detail.model.name })))));
};

/** The version that serves, or the newest where none does, and the run that made it. */
const shownVersion = ({ versions, runs }) => {
  const version = versions.find((each) => each.promoted) ?? versions[0];
  return { version, run: runs.find((each) => each.id === version.run_id) ?? null };
};

const ModelCard = ({ detail }) => {
  const { t, code } = useSpeech();
  const { name, task } = detail.model;
  const { version, run } = shownVersion(detail);
  return a({ class: 'card model-card half', href: `#/models/${encodeURIComponent(name)}` },
    div({ class: 'row apart' }, h2(name), h(GateBadge, { version, promotions: detail.promotions })),
    h(PrimaryMetric, { evaluation: run?.evaluation }),
    div({ class: 'row small soft' },
      span(code('task', task)),
      span(t('models.version', { version: version.version })),
      !version.promoted && h(Badge, {}, t('models.kept'))));
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

const forcedPromotion = (version, promotions) => promotions.findLast((each) => each.version === version.version)?.forced;

const GateBadge = ({ version, promotions }) => {
  const { t } = useSpeech();
  if (forcedPromotion(version, promotions)) return h(Badge, { tone: 'warn', icon: 'notice' }, t('gate.forced'));
  if (!version.gate) return null;
  return version.gate.passed
    ? h(Badge, { tone: 'good', icon: 'check' }, t('gate.passed'))
    : h(Badge, { tone: 'bad', icon: 'cross' }, t('gate.failed'));
};

/** One model: the version that serves, or the newest where none does. */
export const Model = ({ id }) => {
  const { t, code } = useSpeech();
  const owner = useOwner();
  const loaded = useLoaded((signal) => owner.model(id, signal), [owner, id]);
  return h(Page, { title: id, lead: loaded.value && code('task', loaded.value.model.task), back: { href: '#/models', text: t('models.title') } },
    h(Loaded, { from: loaded }, (detail) => {
      const { version, run } = shownVersion(detail);
      const evaluation = run?.evaluation;
      return [
        h(Signs, { key: 'signs', detail, version, run }),
        evaluation && div({ class: 'columns', key: 'judged' },
          h(Metrics, { evaluation }),
          h(GateChecks, { version, promotions: detail.promotions })),
        run && h(Curve, { key: 'curve', curve: run.curve }),
        evaluation?.confusion && div({ class: 'columns', key: 'confusion' },
          h(Confusion, { confusion: evaluation.confusion }),
          h(PerClass, { classes: evaluation.perClass })),
        div({ class: 'columns', key: 'origin' },
          h(Lineage, { detail, version, run }),
          div({ class: 'half stack' },
            !evaluation && h(GateChecks, { version, promotions: detail.promotions }),
            h(Versions, { versions: detail.versions }))),
      ];
    }));
};

const Signs = ({ detail, version, run }) => {
  const { t, seconds, moment, money } = useSpeech();
  const promotion = detail.promotions.findLast((each) => each.version === version.version);
  return h(Stats, { of: [
    {
      label: version.promoted ? t('models.serving') : t('models.newest'), value: t('models.version', { version: version.version }),
      note: moment(promotion?.promoted_at ?? version.registered_at),
    },
    h(Signature, { model: detail.model.name, version: version.version }),
    ...(run ? [
      { label: t('models.training'), value: seconds(run.seconds), note: t('models.cpu', { seconds: seconds(run.cpu_seconds) }) },
      { label: t('models.cost'), value: run.cost ? money(run.cost, run.currency) : '–', note: t('models.cost-note') },
    ] : []),
  ] });
};

/** The server reads every byte of the package for this, so it is asked apart. */
const Signature = ({ model, version }) => {
  const { t } = useSpeech();
  const owner = useOwner();
  const check = useLoaded((signal) => owner.verifyModel(model, version, signal), [owner, model, version]);
  const label = t('signature.title');
  if (check.error) return h(Stat, { label, value: t('signature.unknown'), note: check.error.message });
  if (!check.value) return h(Stat, { label, value: '…', note: t('signature.checking') });
  const { verified, key_id: keyId, findings } = check.value;
  return verified
    ? h(Stat, { label, value: t('signature.verified'), tone: 'good', note: t('signature.key', { key: keyId.slice(0, 12) }), exact: keyId })
    : h(Stat, { label, value: t('signature.refused'), tone: 'bad', note: findings.map((finding) => finding.message).join(' ') });
};

const Metrics = ({ evaluation }) => {
  const { t, code, count } = useSpeech();
  const score = useScore();
  const { primary, metrics, intervals, baselines, examples, notes } = evaluation;
  const names = [primary, ...Object.keys(metrics).filter((name) => name !== primary)];
  return h(Card, { title: t('models.metrics'), hint: t('models.examples', { count: count(examples) }), kind: 'two-thirds' },
    h(Table, {
      label: t('models.metrics'), rows: names, keyOf: (name) => name,
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

const GateChecks = ({ version, promotions }) => {
  const { t, number } = useSpeech();
  const checks = version.gate?.checks ?? [];
  const forced = forcedPromotion(version, promotions);
  return h(Card, { title: t('gate.title'), kind: 'third' },
    checks.length === 0 ? h(Empty, { title: t('gate.none') }) : ol({ class: 'steps' }, checks.map((check) =>
      li({ key: check.rule },
        span(check.rule),
        h(Badge, check.passed ? { tone: 'good', icon: 'check' } : { tone: 'bad', icon: 'cross' }, check.passed ? t('gate.met') : t('gate.missed')),
        span({ class: 'small soft' }, check.value === null ? t('gate.unmeasured') : t('gate.value', { value: number(check.value, 4) }))))),
    forced && p({ class: 'small' }, t('gate.forced-by', { by: forced.by, why: forced.why })));
};

/** What is noted with each epoch but measures nothing: in the table only. */
const CIRCUMSTANCES = ['learningRate', 'seconds'];

/** Loss on the left axis, every other measure on the right. */
const Curve = ({ curve }) => {
  const { t, code, number } = useSpeech();
  if (curve.length === 0) return null;
  const names = [...new Set(curve.flatMap((point) => Object.keys(point.values)))];
  const isLoss = (name) => name.toLowerCase().includes('loss');
  const measures = names.filter((name) => !CIRCUMSTANCES.includes(name));
  const others = measures.filter((name) => !isLoss(name));
  return h(Card, { title: t('models.curve') },
    h(Plot, {
      label: t('models.curve'), inputs: [curve],
      draw: (colour) => ({
        grid: { top: 56 },
        xAxis: axis(colour, 'category', { data: curve.map((point) => point.epoch), ...named(t('models.epoch')) }),
        yAxis: [
          axis(colour, 'value', { name: names.some(isLoss) ? t('models.loss') : '', scale: true, axisLabel: { formatter: (value) => number(value) } }),
          axis(colour, 'value', { name: others.length ? t('models.measure') : '', scale: true, splitLine: { show: false }, axisLabel: { formatter: (value) => number(value) } }),
        ],
        tooltip: {
          trigger: 'axis',
          formatter: (points) => [t('models.epoch-number', { epoch: points[0].name }),
            ...points.map((point) => `${point.seriesName}  ${number(point.value, 4)}`)].join('\n'),
        },
        series: measures.map((name) => ({
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

/** Data made of many files would push the rest out of sight. */
const MOST_DATA_SHOWN = 3;

/** From the rows of data to the package that serves. */
const Lineage = ({ detail, version, run }) => {
  const { t, moment, bytes, count } = useSpeech();
  const data = Object.entries(version.data_fingerprints);
  const digest = (text) => codeText({ title: text, class: 'small' }, `${text.slice(0, 16)}…`);
  const stations = [
    ...data.slice(0, MOST_DATA_SHOWN).map(([name, fingerprint]) => ({ title: t('lineage.data', { name }), rest: digest(fingerprint) })),
    data.length > MOST_DATA_SHOWN && { title: t('lineage.more-data', { count: count(data.length - MOST_DATA_SHOWN) }) },
    version.base_model_digest && { title: t('lineage.base'), rest: digest(version.base_model_digest) },
    run && {
      title: t('lineage.run'), rest: h(Facts, { of: [
        [t('lineage.finished'), moment(run.finished_at)],
        [t('lineage.memory'), bytes(run.peak_memory_bytes)],
        [t('lineage.run-id'), codeText(run.id)],
      ] }),
    },
    {
      title: t('lineage.package'), rest: h(Facts, { of: [
        [t('lineage.digest'), digest(version.digest)],
        [t('lineage.code'), codeText(version.code_version)],
        [t('column.registered'), moment(version.registered_at)],
      ] }),
    },
    ...detail.promotions.filter((each) => each.version === version.version).map((each) => ({
      title: t('lineage.promoted', { version: each.version }), rest: moment(each.promoted_at),
    })),
  ].filter(Boolean);
  return h(Card, { title: t('lineage.title'), kind: 'half' },
    ol({ class: 'lineage' }, stations.map((station, index) => li({ key: index }, strong(station.title), div(station.rest)))));
};

const Versions = ({ versions }) => {
  const { t, moment } = useSpeech();
  return h(Card, { title: t('models.versions') },
    h(Table, {
      label: t('models.versions'), rows: versions, keyOf: (each) => each.version,
      columns: [
        { title: t('column.version'), cell: (each) => each.version },
        { title: t('column.registered'), cell: (each) => moment(each.registered_at) },
        { title: t('column.state'), cell: (each) => each.promoted ? h(Badge, { tone: 'good', icon: 'check' }, t('models.serves')) : h(Badge, {}, t('models.kept')) },
      ],
    }));
};
