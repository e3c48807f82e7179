// What was asked, what it earned, and whether the books balance.
import { h, tags } from './tags.js';
import { useState } from './hooks.js';
import { useSpeech } from './language.js';
import { useOwner } from './api.js';
import { useEvery, useLoaded } from './loading.js';
import { approximate, isZero, sum } from './format.js';
import { Badge, Card, Choices, Empty, Facts, Loaded, Page, Stats, Table } from './parts.js';
import { Plot, axis } from './plot.js';

const { a, div, p } = tags;

const REFRESH_SECONDS = 15;

export const Overview = () => {
  const { t } = useSpeech();
  const owner = useOwner();
  const usage = useLoaded((signal) => owner.usageByDay(signal), [owner]);
  const ledger = useLoaded((signal) => owner.ledger(signal), [owner]);
  const models = useLoaded((signal) => owner.models(signal), [owner]);
  useEvery(REFRESH_SECONDS, () => { usage.again(); ledger.again(); });
  return h(Page, { title: t('overview.title'), lead: t('overview.lead') },
    h(Loaded, { from: usage }, (used) => h(Loaded, { from: ledger }, (books) => h(Loaded, { from: models }, (served) => [
      h(Headline, { key: 'headline', days: used.data, books, models: served.data }),
      h(Days, { key: 'days', days: used.data }),
      div({ class: 'columns', key: 'more' },
        h(ByModel, { days: used.data }),
        h(Books, { books })),
    ]))));
};

/** Amounts of several currencies are never added to each other. */
const amounts = (days) => {
  const byCurrency = Map.groupBy(days, (day) => day.currency);
  return [...byCurrency].map(([currency, rows]) => ({ currency, amount: sum(rows.map((row) => row.amount)) }));
};

const balanced = (books) => Object.values(books.sum_by_currency).every(isZero);

const Headline = ({ days, books, models }) => {
  const { t, count, money } = useSpeech();
  const requests = days.reduce((total, day) => total + day.requests, 0);
  const earned = amounts(days);
  return h(Stats, { of: [
    { label: t('overview.requests'), value: count(requests), note: t('overview.since-start') },
    {
      label: t('overview.earned'), note: t('overview.exact'),
      value: earned.length ? earned.map(({ currency, amount }) => money(amount, currency)).join(' + ') : '–',
    },
    { label: t('overview.models'), value: count(models.filter((model) => model.promoted_version !== null).length), note: t('overview.models-note') },
    {
      label: t('overview.ledger'), value: balanced(books) ? t('ledger.balanced') : t('ledger.unbalanced'),
      tone: balanced(books) ? 'good' : 'bad', note: t('overview.postings', { count: count(books.postings) }),
    },
  ] });
};

const Days = ({ days }) => {
  const { t, count, money, day: dayName, compact } = useSpeech();
  const [measure, setMeasure] = useState('requests');
  const currencies = [...new Set(days.map((day) => day.currency))];
  const shown = measure === 'requests' ? days : days.filter((day) => day.currency === measure);
  const dates = daysBetween(days.map((day) => day.day));
  const products = [...new Set(shown.map((day) => day.product))].sort();
  const value = (row) => measure === 'requests' ? row.requests : approximate(row.amount);
  const written = (row) => measure === 'requests' ? count(row.requests) : money(row.amount, row.currency);
  const at = (product, date) => shown.filter((row) => row.product === product && row.day === date);
  const title = measure === 'requests' ? t('overview.requests-by-day') : t('overview.money-by-day', { currency: measure });

  return h(Card, { title },
    days.length === 0 ? h(Empty, { title: t('overview.nothing') }, t('overview.nothing-hint')) : [
      h(Choices, {
        key: 'measure', label: t('overview.measure'), value: measure, onChoose: setMeasure,
        options: [['requests', t('overview.requests')], ...currencies.map((currency) => [currency, t('overview.money', { currency })])],
      }),
      h(Plot, {
        key: 'plot', label: title, inputs: [days, measure],
        draw: (colour) => ({
          xAxis: axis(colour, 'category', { data: dates.map(dayName) }),
          yAxis: axis(colour, 'value', { axisLabel: { formatter: compact }, minInterval: measure === 'requests' ? 1 : undefined }),
          tooltip: {
            trigger: 'axis', axisPointer: { type: 'shadow', shadowStyle: { color: colour.line, opacity: .4 } },
            formatter: (points) => [dayName(dates[points[0].dataIndex]), ...products.flatMap((product) =>
              at(product, dates[points[0].dataIndex]).map((row) => `${product}  ${written(row)}`))].join('\n'),
          },
          series: products.map((product) => ({
            name: product, type: 'bar', stack: 'all', barMaxWidth: 42,
            data: dates.map((date) => at(product, date).reduce((total, row) => total + value(row), 0)),
          })),
        }),
        figures: {
          columns: [
            { title: t('column.day'), cell: (row) => dayName(row.day) },
            { title: t('column.model'), cell: (row) => row.product },
            { title: t('column.requests'), cell: (row) => count(row.requests), end: true },
            { title: t('column.amount'), cell: (row) => money(row.amount, row.currency), end: true },
          ],
          rows: days,
        },
      }),
    ]);
};

/** All days from the first to the last, so that a day without use shows as one. At least a week, so that one day is no wall. */
const daysBetween = (isoDays) => {
  if (isoDays.length === 0) return [];
  const DAY = 86_400_000;
  const times = isoDays.map((day) => Date.parse(`${day}T00:00:00Z`));
  const last = Math.max(...times);
  const first = Math.min(...times, last - 6 * DAY);
  return Array.from({ length: Math.round((last - first) / DAY) + 1 }, (_, index) => new Date(first + index * DAY).toISOString().slice(0, 10));
};

const ByModel = ({ days }) => {
  const { t, count, counted, money } = useSpeech();
  const groups = [...Map.groupBy(days, (day) => `${day.product} ${day.currency}`).values()];
  return h(Card, { title: t('overview.by-model'), kind: 'two-thirds' },
    groups.length === 0 ? h(Empty, { title: t('overview.nothing') }) : h(Table, {
      label: t('overview.by-model'), rows: groups, keyOf: (rows) => rows[0].product + rows[0].currency,
      columns: [
        { title: t('column.model'), cell: ([first]) => a({ href: `#/models/${encodeURIComponent(first.product)}` }, first.product) },
        { title: t('column.requests'), cell: (rows) => count(rows.reduce((total, row) => total + row.requests, 0)), end: true },
        { title: t('column.used'), end: true, cell: (rows) => Object.entries(totals(rows)).map(([meter, quantity]) =>
          p({ key: meter }, counted(meter, quantity))) },
        { title: t('column.amount'), cell: (rows) => money(sum(rows.map((row) => row.amount)), rows[0].currency), end: true },
      ],
    }));
};

const totals = (rows) => {
  const total = {};
  for (const row of rows) {
    for (const [meter, quantity] of Object.entries(row.quantities)) total[meter] = (total[meter] ?? 0) + quantity;
  }
  return total;
};

const Books = ({ books }) => {
  const { t, count, money } = useSpeech();
  return h(Card, { title: t('ledger.title'), kind: 'third' },
    h(Facts, { of: [
      [t('ledger.state'), h(Badge, balanced(books) ? { tone: 'good', icon: 'check' } : { tone: 'bad', icon: 'cross' },
        balanced(books) ? t('ledger.balanced') : t('ledger.unbalanced'))],
      ...Object.entries(books.sum_by_currency).map(([currency, amount]) => [t('ledger.sum', { currency }), money(amount, currency)]),
      [t('ledger.postings'), count(books.postings)],
      [t('ledger.open'), count(books.open_reservations)],
    ] }));
};
